import { profileKeys } from "../core/profile-keys.ts";
import { isSourced, type SourceKind } from "../core/sourced.ts";
import { formatBytes, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import { engineIds, engineProfileNamed } from "../engine/catalogue.ts";
import { type EngineProfileFile, engineSchema } from "../engine/profile-schema.ts";
import { efficiencyPresets, links, tiers } from "../hardware/catalogue.ts";
import { deviceIds, deviceProfileNamed, systemIds, systemProfileNamed } from "../hardware/named-profiles.ts";
import { type DeviceProfile, hardwareSchemas, type SystemProfile } from "../hardware/profile-schema.ts";
import { tierProfile, withReferences } from "../hardware/resolve.ts";
import { breakEvenModels, breakEvenRows } from "./break-even-table.ts";

const profileSchemas = { ...hardwareSchemas, engine: engineSchema };

/** One number of a profile as `moecast hardware show` prints it. */
export interface NumberRow {
  /** Dotted path inside the profile, such as `memory.bytes`. */
  readonly at: string;
  readonly value: number | string | boolean;
  /** The value with its unit. */
  readonly text: string;
  readonly kind: SourceKind;
  readonly source: string;
}

/** One profile as `moecast hardware list` prints it. */
export interface ProfileRow {
  readonly id: string;
  readonly name: string;
  readonly type: "device" | "system" | "engine";
  /** Headline numbers. */
  readonly summary: string;
}

/** Every device, system and engine profile in table order. */
export function hardwareList(): ProfileRow[] {
  return [
    ...deviceIds.map((id): ProfileRow => {
      const { name, peak, memory } = deviceProfileNamed(id);
      const figures = [flops(peak.bf16.value), formatBytes(memory.bytes.value), rate(memory.bytesPerSecond.value)];
      return { id, name, type: "device", summary: figures.join(", ") };
    }),
    ...systemIds.map((id): ProfileRow => {
      const { name, device, devicesPerNode, tiers: behind } = systemProfileNamed(id);
      const memories = behind.map(({ tier, bytes }) => `${tierProfile(tier, id).id} ${formatBytes(bytes.value)}`);
      return { id, name, type: "system", summary: [`${devicesPerNode.value} x ${device}`, ...memories].join(", ") };
    }),
    ...engineIds.map((id): ProfileRow => {
      const { name, version } = engineProfileNamed(id);
      return { id, name, type: "engine", summary: `version ${version}` };
    }),
  ];
}

/** Every number of the profile `id` (device, system or engine) with kind and source; throws InvalidInputError. */
export function hardwareShow(id: string): NumberRow[] {
  if (systemIds.includes(id)) return systemRows(id);
  if (engineIds.includes(id)) return numberRows(engineProfileNamed(id));
  return deviceRows(deviceProfileNamed(id));
}

/** The profile `id` as a file of one's own may hold it; throws InvalidInputError for an unknown id. */
export function profileNamed(id: string): DeviceProfile | SystemProfile | EngineProfileFile {
  if (systemIds.includes(id)) return systemProfileNamed(id);
  return engineIds.includes(id) ? engineProfileNamed(id) : deviceProfileNamed(id);
}

/** Every number of a device profile, those of its links and of its efficiency preset included. */
function deviceRows(profile: DeviceProfile): NumberRow[] {
  return numberRows(withReferences(profile));
}

function systemRows(id: string): NumberRow[] {
  const system = systemProfileNamed(id);
  const behind = system.tiers.map((entry, index) => ({
    ...entry,
    tier: tierProfile(entry.tier, `${id}.tiers.${index}.tier`),
  }));
  const of = (part: string) => deviceRows(deviceProfileNamed(part)).map((row) => ({ ...row, at: `${part}.${row.at}` }));
  return [
    ...numberRows({ ...system, tiers: behind }),
    ...of(system.device),
    ...(system.host === undefined ? [] : of(system.host.processor)),
  ];
}

/** The sourced numbers anywhere inside a value, in order. */
function numberRows(value: unknown, at = ""): NumberRow[] {
  if (isSourced(value))
    return [{ at, value: value.value, text: withUnit(at, value.value), kind: value.kind, source: sourceOf(value) }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => numberRows(item, at === "" ? key : `${at}.${key}`));
}

/** A price is as good as its date. */
const sourceOf = (value: { readonly source: string; readonly date?: string }): string =>
  value.date === undefined ? value.source : `${value.source}, ${value.date}`;

type Format = (value: number) => string;

/** Units by the path of a number; the first that matches counts. */
const units: readonly { at: RegExp; format: Format }[] = [
  { at: /bytesPerSecond$/i, format: rate },
  { at: /bytes$/i, format: formatBytes },
  { at: /^(.*\.)?((peak|vendorPeak|achieved)\.|vectorFlopsPerSecond$)/, format: flops },
  { at: /clockHz$/, format: (value) => `${formatNumber(value / 1e9)} GHz` },
  { at: /Ns(ScaleOut)?$/, format: formatDuration },
  { at: /powerW$/i, format: (value) => `${formatNumber(value)} W` },
  { at: /usdPerHour$/, format: (value) => `$${formatNumber(value)}/h` },
  {
    at: /(Compute|Memory|Bandwidth|Utilisation|formatCompute\.\w+|efficiency)$/,
    format: (value) => formatPercent(value, 0),
  },
];

function withUnit(at: string, value: number | string | boolean): string {
  if (typeof value !== "number") return String(value);
  return units.find((unit) => unit.at.test(at))?.format(value) ?? formatNumber(value);
}

function rate(bytesPerSecond: number): string {
  return `${formatNumber(bytesPerSecond / 1e9, 4)} GB/s`;
}

function flops(perSecond: number): string {
  return `${formatNumber(perSecond / 1e12, 4)} TFLOP/s`;
}

/** The reference page of all profiles, as Markdown: docs/hardware.md is exactly this text. */
export function hardwareTable(): string {
  const list = hardwareList();
  const overview = (type: ProfileRow["type"]) =>
    list.filter((row) => row.type === type).map(({ id, name, summary }) => [`\`${id}\``, name, summary]);
  const numbersOf = (rows: NumberRow[]) =>
    table(
      ["number", "value", "kind", "source"],
      rows.map(({ at, text, kind, source }) => [at, text, kind, source]),
    );
  const section = (title: string, body: string) => `### ${title}\n\n${body}`;
  return `${[
    "# Hardware and engine profiles",
    [
      "Generated from the profile files in `src/hardware`. Every number names its source and a kind: *measured* on the",
      "hardware, stated by the *vendor*, read from a *thirdParty* table, or *estimated* (assumed, or carried over from",
      "similar hardware, as the source says). Peaks are dense and link rates are per direction; a number without a source is left out.",
    ].join(" "),
    ownProfiles(),
    "## Devices",
    "Chips that are sold with memory of several sizes (Macs, Strix Halo) have the largest; `hardware.deviceMemory` of a scenario states yours.",
    table(["id", "device", "bf16 peak, memory, bandwidth"], overview("device")),
    "## Systems",
    table(["id", "node", "devices and tiers behind them"], overview("system")),
    "## Moving an expert or computing it on the host",
    breakEvenText,
    table(["system", "host", "reads weights at", "link", ...breakEvenModels], breakEvenRows()),
    "## Engines",
    table(["id", "engine", ""], overview("engine")),
    "## Links",
    ...links().map((link) => section(`${link.name} (\`${link.id}\`)`, numbersOf(numberRows(link)))),
    "## Memory tiers",
    ...tiers().map((tier) => section(`${tier.name} (\`${tier.id}\`)`, numbersOf(numberRows(tier)))),
    "## Efficiency presets",
    "A device profile starts from the numbers of its class and overrides single ones.",
    ...Object.entries(efficiencyPresets()).map(([id, preset]) => section(`\`${id}\``, numbersOf(numberRows(preset)))),
    "## Numbers of each device",
    ...deviceIds.map((id) => section(`\`${id}\``, numbersOf(numberRows(deviceProfileNamed(id))))),
    "## Numbers of each system",
    ...systemIds.map((id) => section(`\`${id}\``, numbersOf(numberRows(systemProfileNamed(id))))),
    "## Numbers of each engine",
    ...engineIds.map((id) => section(`\`${id}\``, numbersOf(numberRows(engineProfileNamed(id))))),
  ].join("\n\n")}\n`;
}

const breakEvenText = [
  "An expert that lies in host memory is moved to a device, or computed where it is. The link moves it in one time whatever its",
  "tokens are; the processors read it once, and take longer for more tokens. Each cell gives s* / B*: the tokens of one expert from",
  "which moving is quicker, and the tokens of a batch in which an expert has that many on average (B* = s* x experts / topK). Far above",
  "the tokens k that the processors compute while they read an expert, s* is k x B_host / B_link. Experts are in the formats of the release;",
  "a device has the link to itself. `moecast hardware show <system> --model <model>` gives the terms for any model. Systems whose processors",
  "are not known, and those without memory behind a link, are left out.",
].join("\n");

/** How to bring a profile of one's own, and every key that one may have. */
function ownProfiles(): string {
  const keys = (kind: keyof typeof profileSchemas) =>
    table(
      ["key", "value", "", "meaning"],
      profileKeys(profileSchemas[kind]).map(({ path, type, required, meaning }) => [
        `\`${path}\``,
        type,
        required ? "required" : "",
        meaning,
      ]),
    );
  return [
    "## A profile of your own",
    [
      "A profile is a JSON file: of a device, of a system (a node of devices and the memory behind them), or of an engine. Start from a shipped one,",
      "change it, and name the file in a scenario under `hardware.device.file`, `hardware.file` or `engine.file`:",
    ].join("\n"),
    "```sh\nmoecast hardware show h200-sxm --json > my-device.json # your data\nmoecast hardware check my-device.json # your data\nmoecast run scenarios/workload-w.yaml --set hardware.device.file=my-device.json # your data\n```",
    [
      'Every number is an object `{ "value": 4.8e12, "kind": "vendor", "source": "data sheet of 2024" }` ("sourced" below): kinds are `measured`, `vendor`,',
      "`thirdParty` and `estimated`, and a number without a source is refused. Units are in the names: bytes, bytes or operations per second, nanoseconds,",
      "watts, shares from 0 to 1. Other keys than these are refused, and so is a device that passes its physical peak.",
    ].join("\n"),
    ...(["device", "system", "engine", "link", "tier"] as const).flatMap((kind) => [
      `### Keys of a ${kind}`,
      keys(kind),
    ]),
  ].join("\n\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

import type { InputRow } from "../../resolve/input-row.ts";
import type { Forecast } from "../forecast.ts";
import { overridesOf } from "../overrides.ts";

/** What an input is, and so how a change of it reads. */
export const inputKinds = {
  release: "moecast",
  scenario: "scenario",
  seed: "seed",
  setting: "setting",
  stated: "stated",
  file: "input",
  deployment: "deployment",
  price: "price",
  slo: "SLO",
} as const satisfies Readonly<Record<string, string>>;

export type InputKind = keyof typeof inputKinds;

/** An input that two results do not share: null where a result lacks it. */
export interface InputChange {
  readonly kind: InputKind;
  /** Which of its kind: path of a setting, role of a file, part of the deployment. */
  readonly what: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What differs in the inputs of two results, from the release of moecast to the SLOs. Empty where they were made from the same. */
export const inputChanges = (before: Forecast, after: Forecast): InputChange[] =>
  readers.flatMap(([kind, read]) => changesBetween(kind, read(before), read(after)));

/** The inputs of one kind by what they are. */
type Inputs = ReadonlyMap<string, string>;

const readers: readonly (readonly [InputKind, (forecast: Forecast) => Inputs])[] = [
  ["release", ({ moecastVersion }) => new Map([["version", moecastVersion]])],
  ["scenario", scenarioInputs],
  ["seed", seedInputs],
  ["setting", (forecast) => new Map(overridesOf(forecast).map(splitSetting))],
  ["file", fileInputs],
  ["deployment", deploymentInputs],
  ["price", ({ cost }) => new Map(cost === null ? [] : [["USD per device hour", String(cost.price.usdPerDeviceHour)]])],
  ["slo", ({ slos }) => new Map(slos.map(({ metric, expression, level }) => [metric, `${expression}, ${level}`]))],
];

function changesBetween(kind: InputKind, before: Inputs, after: Inputs): InputChange[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((what) => {
    const [was, is] = [before.get(what) ?? null, after.get(what) ?? null];
    return was === is ? [] : [{ kind, what, before: was, after: is }];
  });
}

/** Digits of a digest that tell two files apart for people. */
const digestDigits = 12;

const withDigest = ({ name, sha256 }: InputRow): string => `${name} ${sha256.slice(0, digestDigits)}`;

function scenarioInputs({ scenario, inputs }: Forecast): Inputs {
  const file = inputs.find(({ role }) => role === "scenario");
  return new Map([["name", scenario.name], ...(file === undefined ? [] : [["file", withDigest(file)] as const])]);
}

function seedInputs({ seed, repetitions }: Forecast): Inputs {
  const seeds = repetitions?.seeds ?? [seed];
  const consecutive = seeds.every((one, i) => one === seeds[0]! + i);
  const text = consecutive && seeds.length > 1 ? `${seeds[0]} to ${seeds.at(-1)}` : seeds.join(", ");
  return new Map([["seed", text]]);
}

/** `path=value` as the two; one without a value as it stands. */
function splitSetting(text: string): readonly [path: string, value: string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

const namedElsewhere = new Set(["scenario", "override"]);

/** Files, tables and traces by their roles; several of a role are told apart by their names. */
function fileInputs({ inputs }: Forecast): Inputs {
  const files = inputs.filter(({ role }) => !namedElsewhere.has(role));
  const count = new Map<string, number>();
  for (const { role } of files) count.set(role, (count.get(role) ?? 0) + 1);
  const seen = new Map<string, number>();
  return new Map(
    files.map((file) => {
      if (count.get(file.role) === 1) return [file.role, withDigest(file)];
      const what = `${file.role} ${file.name}`;
      const times = (seen.get(what) ?? 0) + 1;
      seen.set(what, times);
      return [times === 1 ? what : `${what} (${times})`, file.sha256.slice(0, digestDigits)];
    }),
  );
}

function deploymentInputs({ deployment, requests, load }: Forecast): Inputs {
  const { mapping, formats, offload, model, device, devices, replicas, engine, placement } = deployment;
  const each = (table: Readonly<Record<string, string | number>>, name: (key: string) => string) =>
    Object.entries(table).map(([key, value]) => [name(key), String(value)] as const);
  return new Map([
    ["model", model],
    ["device", device],
    ["devices", String(devices)],
    ["replicas", String(replicas)],
    ...each(mapping, (key) => key.toUpperCase()),
    ["engine", engine],
    ...each(formats, (key) => `format of ${key}`),
    ["placement", placement],
    ...(offload === null ? [] : [["offload", offload] as const]),
    ["requests", String(requests.total)],
    ["load", load.loop],
  ]);
}

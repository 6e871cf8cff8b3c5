import { refuse } from "../core/errors.ts";
import type { Node } from "../hardware/device.ts";
import { withThreads } from "../hardware/host-processors.ts";
import { deviceProfileNamed, systemProfileNamed } from "../hardware/named-profiles.ts";
import type { DeviceProfile, SystemProfile } from "../hardware/profile-schema.ts";
import { parseDeviceProfile, parseSystemProfile } from "../hardware/read-profiles.ts";
import { processorProfile, resolveDevice, resolveNode, tierProfile, withReferences } from "../hardware/resolve.ts";
import { tierKindNames, tierKinds } from "../hardware/tier-kinds.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { hostTier } from "../sim/offload/offload-tiers.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { type FileReader, readJson } from "./file-reader.ts";
import { type InputRow, inputRow } from "./input-row.ts";
import { located, locatedAsync } from "./located.ts";
import type { Price } from "./price.ts";
import { fidelityOf, provenanceOf } from "./profile-provenance.ts";

/** The hardware of a scenario. */
export interface ResolvedHardware {
  readonly node: Node;
  readonly price: Price | null;
  readonly ledger: readonly LedgerEntry[];
  readonly inputs: readonly InputRow[];
  /** Of the processors of the host, for runs in which they compute experts; empty where they are not known. */
  readonly hostLedger: readonly LedgerEntry[];
}

type TierKind = SystemProfile["tiers"][number] extends { tier: infer T } ? Exclude<T, string> : never;

const scenarioSource = "stated in the scenario";
const stated = (value: number) => ({ value, kind: "estimated" as const, source: scenarioSource });

/** The node that a scenario names; its overrides of links and tiers are applied to the profile. */
export async function resolveHardware(scenario: Scenario, reader: FileReader): Promise<ResolvedHardware> {
  const { hardware } = scenario;
  const inputs: InputRow[] = [];
  const own = async <T>(path: (string | number)[], file: string, parse: (json: unknown, name: string) => T) =>
    locatedAsync(scenario, path, async () => {
      const read = await readJson(reader, scenario.file, file);
      inputs.push(inputRow("hardware profile", read.file, read.text));
      return parse(read.json, read.file);
    });
  const system =
    hardware.file === undefined
      ? located(scenario, ["hardware", "system"], () => systemProfileNamed(hardware.system ?? ""))
      : await own(["hardware", "file"], hardware.file, parseSystemProfile);
  const device =
    hardware.device === undefined
      ? located(scenario, ["hardware"], () => deviceProfileNamed(system.device))
      : await own(["hardware", "device", "file"], hardware.device.file, parseDeviceProfile);
  const hosted = withHost(system, scenario);
  const withoutThreads = located(scenario, ["hardware"], () =>
    resolveNode(
      withTiers(hosted, scenario),
      withHostLink(
        withinNode(resolveDevice(withMemory(device, hardware.deviceMemory)), system, hardware.devicesPerNode),
        hardware.hostLink,
      ),
    ),
  );
  const node = withHostThreads(withSockets(withoutThreads, scenario), scenario);
  const behindOneLink = hardware.hostLink?.devices ?? 1;
  if (behindOneLink > node.devicesPerNode)
    refuse({
      ...scenario.place(["hardware", "hostLink", "devices"]),
      at: "hardware.hostLink.devices",
      expected: `at most the ${node.devicesPerNode} devices of a node`,
      found: behindOneLink,
    });
  const tiers = system.tiers.map(({ tier, ...rest }) => ({ ...rest, tier: tierProfile(tier, "hardware.tiers") }));
  const { host: _, ...devices } = system;
  const provenance = provenanceOf([{ ...devices, tiers }, withReferences(device)]);
  return {
    node,
    price: priceOf(scenario, device),
    inputs,
    ledger: [
      { topic: "hardware", fidelity: provenance.fidelity, detail: `${system.name}: ${provenance.text}` },
      ...overridesLedger(hardware),
    ],
    hostLedger: hostLedger(hosted, node),
  };
}

/** The system with the host processors of the scenario. Those of the profile need no more than a count of their own. */
function withHost(system: SystemProfile, scenario: Scenario): SystemProfile {
  const { host } = scenario.hardware;
  if (host === undefined) return system;
  const kinds = system.tiers.map(({ tier }) => tierProfile(tier, "hardware.tiers").kind);
  if (kinds.every((kind) => tierKinds[kind].access === "disk"))
    refuse({
      ...scenario.place(["hardware", "host"]),
      at: "hardware.host",
      expected: `no host: ${system.name} has no host memory behind its devices`,
    });
  const processor = host.processor ?? system.host?.processor;
  if (processor === undefined)
    refuse({
      ...scenario.place(["hardware", "host"]),
      at: "hardware.host.processor",
      expected: `a processor: that of ${system.name} is not known`,
      found: "none",
    });
  if (host.processor !== undefined)
    located(scenario, ["hardware", "host", "processor"], () => processorProfile(processor, "hardware.host.processor"));
  const count = host.count === undefined ? (system.host?.count ?? stated(1)) : stated(host.count);
  return { ...system, host: { processor, count } };
}

/** The node with as many cores for experts as the scenario leaves them; refused where there is nothing to compute from. */
function withHostThreads(node: Node, scenario: Scenario): Node {
  const { host } = scenario.hardware;
  if (host === undefined || node.host === undefined) return node;
  const refused = (key: string, expected: string, found: unknown): never =>
    refuse({ ...scenario.place(["hardware", "host", key]), at: `hardware.host.${key}`, expected, found });
  if (hostTier(node) === undefined)
    refuse({
      ...scenario.place(["hardware", "host"]),
      at: "hardware.host",
      expected: `no host: ${node.device.name} has no host memory behind it`,
    });
  const { device, count } = node.host;
  if (node.sockets !== undefined && node.sockets.count !== count)
    refused("count", `the ${node.sockets.count} of hardware.sockets.count`, count);
  if (host.threads === undefined) return node;
  if (device.cores === undefined)
    return refused("threads", `no threads: the cores of ${device.name} are not stated`, host.threads);
  if (host.threads > device.cores * count)
    refused("threads", `at most the ${device.cores * count} cores of ${count} x ${device.name}`, host.threads);
  return { ...node, host: withThreads(node.host, host.threads) };
}

/** What the figures of the host processors rest on, and how many cores compute. */
function hostLedger({ host }: SystemProfile, node: Node): LedgerEntry[] {
  if (host === undefined || node.host === undefined) return [];
  const { device, count } = node.host;
  const profile = processorProfile(host.processor, "hardware.host.processor");
  const { text, fidelity } = provenanceOf([host, withReferences(profile)]);
  const all = (profile.cores?.value ?? 0) * count;
  const computing = (device.cores ?? 0) * count;
  const cores =
    computing < all
      ? `${computing} of ${all} cores compute experts, as the scenario states`
      : "all cores compute experts: those that the engine's own threads take are not counted";
  return [
    { topic: "host processors", fidelity, detail: `${count} x ${device.name}: ${text}` },
    {
      topic: "host processors",
      fidelity: "assumed",
      detail: `${cores}${count === 1 ? "" : "; each socket reads memory of its own: nothing crosses between them"}`,
    },
  ];
}

/** The system with the scenario's devices, links and memory tiers. A tier that it lacks needs capacity and bandwidth. */
function withTiers(system: SystemProfile, scenario: Scenario): SystemProfile {
  const { devicesPerNode, hostLink = {}, tiers = {} } = scenario.hardware;
  const kept = system.tiers.map((entry) => {
    const found = tierProfile(entry.tier, "hardware.tiers");
    const override = tiers[found.kind];
    if (override === undefined) return entry;
    const { capacity, bandwidth, latency } = override;
    const tier: TierKind = {
      ...found,
      ...(bandwidth === undefined ? {} : { bytesPerSecond: stated(bandwidth), efficiency: stated(1) }),
      ...(latency === undefined ? {} : { latencyNs: stated(latency) }),
    };
    const { units, ...rest } = entry;
    return {
      ...rest,
      ...(bandwidth === undefined && units !== undefined ? { units } : {}),
      tier,
      bytes: capacity === undefined ? entry.bytes : stated(capacity),
    };
  });
  const present = new Set(kept.map((entry) => tierProfile(entry.tier, "hardware.tiers").kind));
  const added = tierKindNames.flatMap((kind) => {
    const override = tiers[kind];
    if (override === undefined || present.has(kind)) return [];
    const { capacity, bandwidth, latency = 0 } = override;
    if (capacity === undefined || bandwidth === undefined)
      refuse({
        ...scenario.place(["hardware", "tiers", kind]),
        at: `hardware.tiers.${kind}`,
        expected: `capacity and bandwidth: ${system.name} has no ${kind} tier of its own`,
        found: Object.keys(override).join(", "),
      });
    const tier: TierKind = {
      id: kind,
      name: kind.toUpperCase(),
      kind,
      bytesPerSecond: stated(bandwidth),
      efficiency: stated(1),
      latencyNs: stated(latency),
    };
    return [{ tier, bytes: stated(capacity), kind }];
  });
  // Each before the first tier of the system that lies farther away.
  const placed = [...kept];
  for (const { kind, ...entry } of added) {
    const kinds = placed.map(({ tier }) => tierProfile(tier, "hardware.tiers").kind);
    const farther = kinds.findIndex((other) => tierKindNames.indexOf(other) > tierKindNames.indexOf(kind));
    placed.splice(farther < 0 ? placed.length : farther, 0, entry);
  }
  return {
    ...system,
    ...(devicesPerNode === undefined ? {} : { devicesPerNode: stated(devicesPerNode) }),
    ...(hostLink.devices === undefined ? {} : { hostLinkDevices: stated(hostLink.devices) }),
    tiers: placed,
  };
}

/** The device with the scenario's memory, and as large a share of it kept by the driver. */
function withMemory(device: DeviceProfile, bytes: number | undefined): DeviceProfile {
  if (bytes === undefined) return device;
  const { memory } = device;
  const kept = ((memory.reservedBytes?.value ?? 0) / memory.bytes.value) * bytes;
  const { reservedBytes: _, ...rest } = memory;
  return {
    ...device,
    memory: { ...rest, bytes: stated(bytes), ...(kept === 0 ? {} : { reservedBytes: stated(kept) }) },
  };
}

/** In a node that the scenario makes smaller, scale-up links of a node reach no further; those of a rack do. */
function withinNode(device: Node["device"], system: SystemProfile, devicesPerNode?: number): Node["device"] {
  if (devicesPerNode === undefined || device.scaleUpDomain > system.devicesPerNode.value) return device;
  return { ...device, scaleUpDomain: Math.min(device.scaleUpDomain, devicesPerNode) };
}

function withHostLink(device: Node["device"], override: Scenario["hardware"]["hostLink"]): Node["device"] {
  if (override === undefined) return device;
  if (device.hostLink === null) refuse({ expected: `no hostLink: ${device.name} has unified memory` });
  const { bandwidth, latency } = override;
  return {
    ...device,
    hostLink: {
      ...device.hostLink,
      ...(bandwidth === undefined ? {} : { bytesPerSecond: bandwidth, efficiency: 1 }),
      ...(latency === undefined ? {} : { latencyNs: latency }),
    },
  };
}

/** The node with its first memory tier in equal parts, one for each socket. */
function withSockets(node: Node, scenario: Scenario): Node {
  const { sockets } = scenario.hardware;
  if (sockets === undefined || sockets.count === 1) return node;
  const refused = (expected: string, found?: unknown): never =>
    refuse({ ...scenario.place(["hardware", "sockets"]), at: "hardware.sockets", expected, found });
  const { count, bandwidth, latency } = sockets;
  if (hostTier(node)?.kind !== "ddr") refused(`one socket: ${node.device.name} has no host memory behind it`, count);
  if (bandwidth === undefined) return refused(`a bandwidth between ${count} sockets`, "none");
  const link = { name: "socket link", bytesPerSecond: bandwidth, latencyNs: latency, efficiency: 1 };
  return { ...node, sockets: { count, link } };
}

function priceOf(scenario: Scenario, device: DeviceProfile): Price | null {
  if (scenario.cost !== undefined) {
    const { usdPerDeviceHour, source = scenarioSource } = scenario.cost;
    return { usdPerDeviceHour, source, fidelity: "assumed" };
  }
  if (device.usdPerHour === undefined) return null;
  const { value, source, kind, date } = device.usdPerHour;
  return { usdPerDeviceHour: value, source: `${source}, ${date}`, fidelity: fidelityOf(kind) };
}

function overridesLedger(hardware: Scenario["hardware"]): LedgerEntry[] {
  const named = [
    ...(hardware.devicesPerNode === undefined ? [] : ["devicesPerNode"]),
    ...(hardware.deviceMemory === undefined ? [] : ["deviceMemory"]),
    ...(hardware.hostLink === undefined ? [] : ["hostLink"]),
    ...(hardware.sockets === undefined ? [] : ["sockets"]),
    ...Object.keys(hardware.host ?? {}).map((key) => `host.${key}`),
    ...Object.keys(hardware.tiers ?? {}).map((kind) => `tiers.${kind}`),
  ];
  return named.length === 0
    ? []
    : [{ topic: "hardware overrides", fidelity: "assumed", detail: `${named.join(", ")}: as the scenario states` }];
}

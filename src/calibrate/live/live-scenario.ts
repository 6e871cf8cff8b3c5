import { tensorMemory } from "./live-device.ts";
import type { LiveProfile } from "./live-profile.ts";

/** OLMoE-1B-7B in float32: everything but its experts with some room, and one expert in each of its 16 layers. */
const fixedBytes = 2.25 * 2 ** 30;
const slotBytes = 16 * 12 * 2048 * 1024;
const expertsPerLayer = 64;

/**
 * A scenario on a measured machine, beside its device.json and engine.json: OLMoE-1B-7B in float32, as tfjs executes it, one
 * user, as many of each layer's experts on the device as it holds and the others behind it.
 */
export function liveScenario({ measurements, links }: LiveProfile): string {
  const { backend, hostBytes } = measurements;
  const memory = tensorMemory(measurements);
  const slots = Math.max(1, Math.min(expertsPerLayer, Math.floor((memory.bytes - fixedBytes) / slotBytes)));
  const warning = memory.guessed
    ? `# ${backend.id} does not tell how much memory the GPU has: device.json and the slots below stand for the host's. Correct both.\n`
    : "";
  const disk = links.diskCold ?? links.diskWarm;
  const whole = (value: number) => Math.round(value);
  // Fetches were measured together with the memory that they read: it is no slower than they are.
  const hostMemory = Math.max(links.hostMemory.bytesPerSecond, links.fetch.bytesPerSecond);
  return `# One user of OLMoE-1B-7B in float32 on this machine, as measured on ${measurements.date}: tfjs ${backend.id} on
# ${backend.device}. Attention and copies beyond the measured ones follow the efficiencies of the preset.
${warning}version: 1
name: this-machine
description: OLMoE-1B-7B in float32 through tfjs ${backend.id}, ${slots} of ${expertsPerLayer} experts of a layer on the device
model:
  id: olmoe-1b-7b
  dtypes: { experts: fp32, attention: fp32, embedding: fp32, head: fp32, router: fp32, norm: fp32 }
hardware:
  system: ryzen-desktop
  device: { file: device.json }
  devicesPerNode: 1
  tiers:
    ddr: { capacity: ${whole(hostBytes)}B, bandwidth: ${whole(hostMemory)}B/s }
${disk === null ? "" : `    nvme: { bandwidth: ${whole(disk.bytesPerSecond)}B/s, latency: ${Math.max(1, whole(disk.latencyNs))}ns }\n`}engine:
  file: engine.json
  maxModelLen: 1024
  maxNumSeqs: 1
traffic:
  kind: generated
  requests: 20
  arrivals: { kind: closed, maxConcurrency: 1 }
  isl: { kind: fixed, tokens: 64 }
  osl: { kind: fixed, tokens: 32 }
routing: { kind: parametric, skew: 0.3, reuse: 0.3, rows: 2000 }
policy:
  offload: { kind: lru, slots: ${slots}, overlap: false }
`;
}

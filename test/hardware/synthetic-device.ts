import type { Device, Efficiency, Link, Node } from "../../src/hardware/device.ts";

/** A link with round numbers: 1 GB/s, no latency, fully used. */
export const link: Link = { name: "link", bytesPerSecond: 1e9, latencyNs: 0, efficiency: 1 };

/** Every share 1, no latencies, plain maximum: the device does exactly what its peaks say. */
export const perfect: Efficiency = {
  gemmCompute: 1,
  gemmMemory: 1,
  groupedGemmCompute: 1,
  groupedGemmMemory: 1,
  attentionPrefillCompute: 1,
  attentionDecodeMemory: 1,
  attentionDecodeCompute: 1,
  elementwiseMemory: 1,
  tileRows: 0,
  gemmLaunchNs: 0,
  groupedGemmLaunchNs: 0,
  attentionLaunchNs: 0,
  dequantiseFlops: 0,
  rooflineNorm: Number.POSITIVE_INFINITY,
  allReduceBandwidth: 1,
  allToAllBandwidth: 1,
  collectiveLatencyNs: 0,
  collectiveLatencyNsScaleOut: 0,
};

/** 1 TFLOP/s, 1 GB/s everywhere: a byte and a thousand FLOP both take one nanosecond. */
export function syntheticDevice(change: Partial<Device> = {}): Device {
  return {
    id: "synthetic",
    name: "Synthetic",
    kind: "gpu",
    peak: { bf16: 1e12 },
    memoryBytes: 1e9,
    memoryBytesPerSecond: 1e9,
    scaleUp: link,
    scaleUpDomain: 8,
    scaleOut: link,
    hostLink: link,
    powerW: null,
    idlePowerW: null,
    usdPerHour: null,
    efficiency: perfect,
    ...change,
  };
}

export function syntheticNode(device: Device, change: Partial<Node> = {}): Node {
  return { device, devicesPerNode: 8, tiers: [], ...change };
}

import type { MathFormat } from "../../core/dtype.ts";
import type { Device } from "../../hardware/device.ts";
import type { PoolConfig } from "../../sim/config.ts";
import { type Knob, withPools } from "./knob.ts";

/** The pool with another device in its nodes. */
export const withDevice = ({ node }: PoolConfig, device: Device): Partial<PoolConfig> => ({
  node: { ...node, device },
});

/** A device whose memory is so many times as fast. */
const fasterMemory = (device: Device, factor: number): Device => ({
  ...device,
  memoryBytesPerSecond: device.memoryBytesPerSecond * factor,
  ...(device.achievedBytesPerSecond === undefined
    ? {}
    : { achievedBytesPerSecond: device.achievedBytesPerSecond * factor }),
});

/** A device whose arithmetic is so many times as fast, in every format. */
const fasterMath = (device: Device, factor: number): Device => ({
  ...device,
  peak: Object.fromEntries(
    (Object.entries(device.peak) as [MathFormat, number][]).map(([format, flops]) => [format, flops * factor]),
  ),
  ...(device.vectorFlopsPerSecond === undefined ? {} : { vectorFlopsPerSecond: device.vectorFlopsPerSecond * factor }),
});

/** Bandwidth of the memory of the devices. */
export const memoryBandwidth: Knob = {
  label: "HBM bandwidth",
  scaled: ({ config }, factor) =>
    withPools(config, (pool) => withDevice(pool, fasterMemory(pool.node.device, factor)), ""),
};

/** Peak arithmetic of the devices. */
export const compute: Knob = {
  label: "peak FLOP/s",
  scaled: ({ config }, factor) =>
    withPools(config, (pool) => withDevice(pool, fasterMath(pool.node.device, factor)), ""),
};

/** Arithmetic of the processors of the host, and what one core reads, where they may compute experts or layers. */
export const hostProcessors: Knob = {
  label: "processors of the host",
  scaled: ({ config }, factor) =>
    withPools(
      config,
      (pool) => {
        const { node } = pool;
        if (node.host === undefined || (pool.offload?.miss === undefined && pool.host === undefined)) return null;
        const { device } = node.host;
        const perCore =
          device.coreBytesPerSecond === undefined ? {} : { coreBytesPerSecond: device.coreBytesPerSecond * factor };
        return { node: { ...node, host: { ...node.host, device: { ...fasterMath(device, factor), ...perCore } } } };
      },
      "the processors of the host compute nothing of the model",
    ),
};

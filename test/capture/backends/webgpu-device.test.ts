import { describe, expect, test } from "vitest";
import { type BufferPool, guardReads, trimming } from "../../../src/capture/backends/webgpu-device.ts";

const gibibyte = 2 ** 30;

/** A pool as the backend has it, that books sizes alone. */
function poolOf() {
  const free = new Map<string, { size: number; destroy(): void }[]>();
  const destroyed: number[] = [];
  const pool: BufferPool = {
    freeBuffers: free,
    numBytesUsed: 0,
    numBytesAllocated: 0,
    numFreeBuffers: 0,
    acquireBuffer(size, usage) {
      const waiting = free.get(`${size}_${usage}`) ?? [];
      free.set(`${size}_${usage}`, waiting);
      if (waiting.pop() === undefined) pool.numBytesAllocated += size;
      else pool.numFreeBuffers--;
      pool.numBytesUsed += size;
      return size;
    },
  };
  const release = (size: number, usage: number) => {
    free.get(`${size}_${usage}`)!.push({ size, destroy: () => destroyed.push(size) });
    pool.numBytesUsed -= size;
    pool.numFreeBuffers++;
  };
  return { pool, release, destroyed };
}

describe("released buffers", () => {
  test("of sizes that keep changing do not pile up, and the books stay right", () => {
    const { pool, release, destroyed } = poolOf();
    const trim = trimming(pool);
    for (let i = 0; i < 1000; i++) {
      const size = gibibyte / 8 + i;
      pool.acquireBuffer(size, 1);
      release(size, 1);
      trim();
      expect(pool.numBytesAllocated).toBeLessThan(4 * gibibyte);
    }
    const waiting = [...pool.freeBuffers.values()].flat();
    expect(pool.numFreeBuffers).toBe(waiting.length);
    expect(pool.numBytesAllocated).toBe(waiting.reduce((sum, { size }) => sum + size, 0));
    expect(destroyed.length + waiting.length).toBe(1000);
  });

  test("of sizes that recur stay, however much they take", () => {
    const { pool, release, destroyed } = poolOf();
    const trim = trimming(pool);
    for (let i = 0; i < 100; i++) {
      for (const usage of [1, 2, 3]) pool.acquireBuffer(gibibyte, usage);
      for (const usage of [1, 2, 3]) release(gibibyte, usage);
      trim();
    }
    expect(destroyed).toEqual([]);
    expect(pool.numBytesAllocated).toBe(3 * gibibyte);
  });
});

test("a read after the device reported an error fails with its first line", async () => {
  let report = (_message: string) => {};
  const backend = {
    device: {
      limits: { maxBufferSize: 1, maxStorageBufferBindingSize: 1 },
      addEventListener: (_type: string, listener: (event: never) => void) => {
        report = (message) => listener({ error: { message }, preventDefault: () => {} } as never);
      },
    },
    bufferManager: poolOf().pool,
    read: async () => Float32Array.of(7),
  };
  guardReads(backend);
  expect(await backend.read()).toEqual(Float32Array.of(7));
  report("Buffer size (8) exceeds the max buffer size limit (1).\n - While calling");
  report("[Invalid Buffer] is invalid due to a previous error.");
  await expect(backend.read()).rejects.toThrow("webgpu: Buffer size (8) exceeds the max buffer size limit (1).");
});

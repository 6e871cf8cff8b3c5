/** What is used of the class of `@tensorflow/tfjs-backend-webgpu`, whose version is pinned. */
export interface WebGpuBackend {
  readonly device: {
    readonly limits: { readonly maxBufferSize: number; readonly maxStorageBufferBindingSize: number };
    addEventListener(type: "uncapturederror", listener: (event: UncapturedError) => void): void;
  };
  readonly bufferManager: BufferPool;
  read(dataId: object): Promise<unknown>;
}
interface UncapturedError {
  readonly error: { readonly message: string };
  preventDefault(): void;
}
/** Released buffers wait here, by size and usage, until a tensor of exactly that size is made. */
export interface BufferPool {
  readonly freeBuffers: ReadonlyMap<string, { readonly size: number; destroy(): void }[]>;
  numBytesUsed: number;
  numBytesAllocated: number;
  numFreeBuffers: number;
  acquireBuffer(size: number, usage: number, ...rest: readonly unknown[]): unknown;
}

/** Released buffers may take as much, whatever their sizes; beyond, sizes must have been asked for in the last reads. */
const freeBytesKept = 1 << 30;
const readsKept = 16;

/**
 * Makes reading a tensor fail once the device has reported an error, such as memory that ran out: work that fails there
 * leaves zeros, which would pass as results. A read is also when buffers are given up that nobody asked for of late.
 */
export function guardReads(backend: WebGpuBackend): void {
  let problem: string | null = null;
  backend.device.addEventListener("uncapturederror", (event) => {
    problem ??= event.error.message.trim().split("\n")[0] ?? "unknown error";
    event.preventDefault();
  });
  const read = backend.read.bind(backend);
  const trim = trimming(backend.bufferManager);
  backend.read = async (dataId) => {
    const values = await read(dataId);
    if (problem !== null) throw new Error(`webgpu: ${problem}`);
    trim();
    return values;
  };
}

/**
 * Watches a pool, and returns what is to be called after every read: it destroys released buffers whose size has not been
 * asked for lately, once there are many. Tensors whose sizes keep changing would fill the device's memory otherwise.
 */
export function trimming(pool: BufferPool): () => void {
  const lastAsked = new Map<string, number>();
  let reads = 0;
  const acquire = pool.acquireBuffer.bind(pool);
  pool.acquireBuffer = (size, usage, ...rest) => {
    lastAsked.set(`${size}_${usage}`, reads);
    return acquire(size, usage, ...rest);
  };
  return () => {
    reads++;
    if (pool.numBytesAllocated - pool.numBytesUsed <= freeBytesKept) return;
    for (const [key, buffers] of pool.freeBuffers) {
      if ((lastAsked.get(key) ?? 0) + readsKept >= reads) continue;
      lastAsked.delete(key);
      for (const buffer of buffers.splice(0)) {
        buffer.destroy();
        pool.numBytesAllocated -= buffer.size;
        pool.numFreeBuffers--;
      }
    }
  };
}

/** How the runtimes under the backends say that memory ran out: V8, WebAssembly, WebGPU, TensorFlow. */
const words =
  /out of memory|memory access out of bounds|array buffer allocation failed|invalid (typed )?array length|failed to allocate|cannot enlarge memory|exceeds the max buffer size|OOM when allocating|RESOURCE_EXHAUSTED/i;

/** Whether an error says that memory ran out. */
export const isOutOfMemory = (error: unknown): error is Error => error instanceof Error && words.test(error.message);

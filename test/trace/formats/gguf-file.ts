const text = (value: string): number[] => {
  const bytes = [...new TextEncoder().encode(value)];
  return [...u64(bytes.length), ...bytes];
};
const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
const u64 = (value: number): number[] => [...new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)];

/** A GGUF file of F32 tensors, put together byte by byte as `gguf` writes version 3. */
export function gguf(
  texts: Readonly<Record<string, string>>,
  tensors: Readonly<Record<string, readonly number[]>>,
): Uint8Array {
  const names = Object.keys(tensors);
  const header = [
    ...new TextEncoder().encode("GGUF"),
    ...u32(3),
    ...u64(names.length),
    ...u64(Object.keys(texts).length + 2),
    ...Object.entries(texts).flatMap(([key, value]) => [...text(key), ...u32(8), ...text(value)]),
    // A list of texts and a number, which have to be skipped.
    ...text("imatrix.datasets"),
    ...u32(9),
    ...u32(8),
    ...u64(2),
    ...text("a.txt"),
    ...text("b.txt"),
    ...text("imatrix.chunk_count"),
    ...u32(4),
    ...u32(45),
  ];
  let at = 0;
  for (const name of names) {
    const values = tensors[name]!;
    header.push(...text(name), ...u32(2), ...u64(1), ...u64(values.length), ...u32(0), ...u64(at));
    at += Math.ceil((values.length * 4) / 32) * 32;
  }
  const start = Math.ceil(header.length / 32) * 32;
  const bytes = new Uint8Array(start + at);
  bytes.set(header);
  let offset = start;
  for (const name of names) {
    const values = Float32Array.from(tensors[name]!);
    bytes.set(new Uint8Array(values.buffer), offset);
    offset += Math.ceil(values.byteLength / 32) * 32;
  }
  return bytes;
}

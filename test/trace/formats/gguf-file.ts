import { ggufHeader } from "../../models/gguf/write-gguf.ts";

const aligned = (bytes: number): number => Math.ceil(bytes / 32) * 32;

/** An importance matrix or another GGUF file of F32 tensors, beside a list of texts and a number, which have to be skipped. */
export function gguf(
  texts: Readonly<Record<string, string>>,
  tensors: Readonly<Record<string, readonly number[]>>,
): Uint8Array {
  const data = Object.values(tensors).map((values) => new Uint8Array(Float32Array.from(values).buffer));
  const offsets: number[] = [];
  let end = 0;
  for (const { length } of data) {
    offsets.push(end);
    end += aligned(length);
  }
  const header = ggufHeader({
    metadata: { ...texts, "imatrix.datasets": ["a.txt", "b.txt"], "imatrix.chunk_count": 45 },
    tensors: Object.entries(tensors).map(([name, values], i) => [name, [1, values.length], 0, offsets[i]!]),
  });
  const start = aligned(header.length);
  const bytes = new Uint8Array(start + end);
  bytes.set(header);
  for (const [i, values] of data.entries()) bytes.set(values, start + offsets[i]!);
  return bytes;
}

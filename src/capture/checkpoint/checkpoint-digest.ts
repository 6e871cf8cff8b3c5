import { Sha256 } from "../../core/digest.ts";
import { type ByteSource, pieces } from "../../trace/byte-source.ts";
import type { Shard } from "./shards.ts";

const samples = 16;
const sampleBytes = 4096;

/**
 * Identifies a checkpoint without reading it whole: sha256 over the bytes of config.json and, for each safetensors file
 * in the order of their names, its name, its size, its header and 16 samples of 4 KiB, spread evenly over its data from the
 * first byte to the last. Checkpoints of one shape differ in it unless they agree in every sample.
 */
export async function checkpointDigest(config: Uint8Array, shards: readonly Shard[]): Promise<string> {
  const digest = new Sha256();
  const text = (line: string) => digest.update(new TextEncoder().encode(line));
  text(`config.json ${config.length}\n`);
  digest.update(config);
  for (const { name, source, index } of shards) {
    text(`\n${name} ${source.bytes}\n`);
    for await (const piece of pieces(source, 0, index.dataOffset)) digest.update(piece);
    await sampleData(source, index.dataOffset, (piece) => digest.update(piece));
  }
  return digest.hex();
}

async function sampleData(source: ByteSource, dataOffset: number, see: (piece: Uint8Array) => void): Promise<void> {
  const span = Math.max(0, source.bytes - dataOffset - sampleBytes);
  for (let i = 0; i < samples; i++) {
    const from = dataOffset + Math.floor((span * i) / (samples - 1));
    const piece = new Uint8Array(Math.min(sampleBytes, source.bytes - from));
    await source.read(piece, from);
    see(piece);
  }
}

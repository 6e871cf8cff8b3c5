import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { isObject } from "../../models/json-object.ts";
import { type ByteSource, fileSource } from "../../trace/byte-source.ts";
import { readSafetensorsIndexOf, type SafetensorsIndex, type TensorEntry } from "../../trace/container/safetensors.ts";
import { type WeightDtype, weightDtypes } from "./weight-dtypes.ts";

const singleName = "model.safetensors";
const indexName = "model.safetensors.index.json";

/** A tensor with the open file that holds it. */
export interface ShardTensor {
  readonly entry: TensorEntry<WeightDtype>;
  readonly source: ByteSource;
}

/** The opened safetensors files of a checkpoint; only their headers have been read. */
export interface Shards {
  /** File to name when a tensor is in none: the index, or the only file. */
  readonly file: string;
  /** In the order of their names. */
  readonly files: readonly Shard[];
  tensor(name: string): ShardTensor | null;
  close(): Promise<void>;
}

/**
 * Opens `model.safetensors`, or the shards of `model.safetensors.index.json` in the same folder. Refuses, all at once,
 * shards that are missing, truncated or no safetensors files, and tensors that are not in the shard the index says.
 * A name in the index that leads out of the folder is refused before anything is opened.
 */
export async function openShards(folder: string): Promise<Shards> {
  if (await exists(join(folder, singleName))) return openSingle(folder);
  if (await exists(join(folder, indexName))) return openSharded(folder);
  const others = (await readdir(folder)).filter((name) => /\.(safetensors|bin|pt|pth|gguf)$/.test(name));
  refuse({
    file: folder,
    expected: `${singleName} or ${indexName}`,
    found: others.length === 0 ? "no weights" : others.slice(0, 5).join(", "),
  });
}

async function openSingle(folder: string): Promise<Shards> {
  const shard = await openShard(folder, singleName);
  return shardsOf(shard.source.name, [shard], () => shard);
}

async function openSharded(folder: string): Promise<Shards> {
  const file = join(folder, indexName);
  const shardOf = readIndex(parseJson(await readFile(file, "utf8"), file), file);
  const problems: Problem[] = [];
  const shards = new Map<string, Shard>();
  try {
    for (const shardName of [...new Set(shardOf.values())].sort()) {
      const path = join(folder, shardName);
      try {
        if (await exists(path)) shards.set(shardName, await openShard(folder, shardName));
        else problems.push({ file: path, expected: `a shard, as ${indexName} names it`, found: "no such file" });
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        problems.push(...error.problems);
      }
    }
    for (const [name, shardName] of shardOf) {
      const shard = shards.get(shardName);
      if (shard === undefined || shard.index.tensors.has(name)) continue;
      const holder = [...shards].find(([, other]) => other.index.tensors.has(name))?.[0];
      const found = holder === undefined ? {} : { found: `in ${holder}` };
      problems.push({
        file: shard.source.name,
        at: `tensor ${name}`,
        expected: `in this shard, as ${indexName} says`,
        ...found,
      });
    }
    if (problems.length > 0) throw new InvalidInputError(problems);
  } catch (error) {
    for (const { source } of shards.values()) await source.close();
    throw error;
  }
  return shardsOf(file, [...shards.values()], (name) => shards.get(shardOf.get(name) ?? ""));
}

/** One file of a checkpoint. */
export interface Shard {
  readonly name: string;
  readonly source: ByteSource;
  readonly index: SafetensorsIndex<WeightDtype>;
}

async function openShard(folder: string, name: string): Promise<Shard> {
  const source = await fileSource(join(folder, name));
  try {
    return { name, source, index: await readSafetensorsIndexOf(source, weightDtypes) };
  } catch (error) {
    await source.close();
    throw error;
  }
}

function shardsOf(file: string, files: readonly Shard[], shardOf: (name: string) => Shard | undefined): Shards {
  return {
    file,
    files,
    tensor(name) {
      const shard = shardOf(name);
      const entry = shard?.index.tensors.get(name);
      return shard === undefined || entry === undefined ? null : { entry, source: shard.source };
    },
    async close() {
      for (const { source } of files) await source.close();
    },
  };
}

/** File name by tensor. */
function readIndex(index: Json, file: string): ReadonlyMap<string, string> {
  const map = isObject(index) ? index["weight_map"] : undefined;
  if (!isObject(map)) refuse({ file, at: "weight_map", expected: "an object of shard names by tensor", found: map });
  const problems: Problem[] = [];
  const seen = new Set<Json>();
  const shardOf = new Map<string, string>();
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard === "string" && isFileName(shard)) shardOf.set(name, shard);
    else if (!seen.has(shard))
      problems.push({
        file,
        at: `weight_map.${name}`,
        expected: "the name of a safetensors file in this folder",
        found: shard,
      });
    seen.add(shard);
  }
  if (problems.length > 0) throw new InvalidInputError(problems);
  return shardOf;
}

/** A name without any path, on every operating system. */
function isFileName(name: string): boolean {
  return /^[^/\\:\0]+\.safetensors$/.test(name);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

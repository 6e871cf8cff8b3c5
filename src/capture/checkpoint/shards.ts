import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { inputBytesMax } from "../../files/input-limits.ts";
import { exists, readText } from "../../files/read-input.ts";
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
  /** In the order of their names. */
  readonly files: readonly Shard[];
  /** Paths of shards that the index names and that could not be opened, with what is wrong with each. */
  readonly unopened: ReadonlyMap<string, readonly Problem[]>;
  /** A tensor, where the file that should hold it does. */
  tensor(name: string): ShardTensor | null;
  /** Which file should hold a tensor (the index, where it names none), and which other one does. */
  whereabouts(name: string): { readonly file: string; readonly foundIn: string | null };
  close(): Promise<void>;
}

/** One file of a checkpoint. */
export interface Shard {
  readonly name: string;
  readonly source: ByteSource;
  readonly index: SafetensorsIndex<WeightDtype>;
}

/**
 * Opens `model.safetensors`, or the shards of `model.safetensors.index.json` in the same folder. A shard that is missing,
 * truncated or no safetensors file is left `unopened`; a name in the index that leads out of the folder is refused
 * before anything is opened.
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
  return shardsOf([shard], new Map(), () => shard.source.name);
}

async function openSharded(folder: string): Promise<Shards> {
  const file = join(folder, indexName);
  const shardOf = readIndex(parseJson(await readText(file, inputBytesMax.shardIndex), file), file);
  const unopened = new Map<string, readonly Problem[]>();
  const files: Shard[] = [];
  for (const name of [...new Set(shardOf.values())].sort()) {
    const path = join(folder, name);
    try {
      if (await exists(path)) files.push(await openShard(folder, name));
      else unopened.set(path, [{ file: path, expected: `a shard, as ${indexName} names it`, found: "no such file" }]);
    } catch (error) {
      if (error instanceof InvalidInputError) unopened.set(path, error.problems);
      else {
        await closeAll(files);
        throw error;
      }
    }
  }
  return shardsOf(files, unopened, (name) => {
    const shard = shardOf.get(name);
    return shard === undefined ? file : join(folder, shard);
  });
}

/** `pathOf` gives the file that should hold a tensor. */
function shardsOf(files: readonly Shard[], unopened: Shards["unopened"], pathOf: (name: string) => string): Shards {
  const byPath = new Map(files.map((shard) => [shard.source.name, shard]));
  return {
    files,
    unopened,
    tensor(name) {
      const shard = byPath.get(pathOf(name));
      const entry = shard?.index.tensors.get(name);
      return shard === undefined || entry === undefined ? null : { entry, source: shard.source };
    },
    whereabouts(name) {
      const holder = files.find(({ index }) => index.tensors.has(name));
      return { file: pathOf(name), foundIn: holder?.name ?? null };
    },
    close: () => closeAll(files),
  };
}

async function closeAll(files: readonly Shard[]): Promise<void> {
  for (const { source } of files) await source.close();
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

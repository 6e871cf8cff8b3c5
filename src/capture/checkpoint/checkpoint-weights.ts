import { InvalidInputError, refuse } from "../../core/errors.ts";
import type { WeightSource } from "../decoder/weights.ts";
import { firstNonFinite } from "./number-formats.ts";
import type { PlannedTensor } from "./planned-tensors.ts";
import { readValues } from "./read-values.ts";
import type { Shards } from "./shards.ts";
import { type BlockSize, isProblem, locateTensor, type StoredTensor } from "./stored-tensor.ts";

/** Weights of opened shards, read by range and decoded to float32 whenever they are asked for. */
export class CheckpointWeights implements WeightSource {
  readonly #shards: Shards;
  readonly #blockSize: BlockSize;

  constructor(shards: Shards, blockSize: BlockSize) {
    this.#shards = shards;
    this.#blockSize = blockSize;
  }

  read(name: string, shape: readonly number[]): Promise<Float32Array> {
    return this.readRange(name, shape, 0, shape[0] ?? 1);
  }

  async readRange(name: string, shape: readonly number[], from: number, to: number): Promise<Float32Array> {
    const tensor = this.#locate({ name, shape });
    const values = await readValues(tensor, from, to);
    const wrong = firstNonFinite(values);
    if (wrong >= 0)
      refuse({
        file: tensor.data.source.name,
        at: `tensor ${name}[${indexIn(shape, from, wrong)}]`,
        expected: "a finite number",
        found: String(values[wrong]),
      });
    return values;
  }

  has(name: string): boolean {
    return this.#parts(name).length > 0;
  }

  storedBytes(name: string): number {
    return this.#parts(name).reduce((bytes, part) => bytes + part, 0);
  }

  #locate(planned: PlannedTensor): StoredTensor {
    const found = locateTensor(planned, this.#shards, this.#blockSize);
    if (isProblem(found)) throw new InvalidInputError([found]);
    return found;
  }

  /** Bytes of the tensors that one tensor is stored in: its own with scales, or blocks with scales. */
  #parts(name: string): number[] {
    const whole = this.#shards.tensor(name) !== null;
    const stored = whole ? [name, `${name}_scale_inv`, `${name}_scale`] : [`${name}_blocks`, `${name}_scales`];
    return stored.map((part) => this.#shards.tensor(part)?.entry.bytes).filter((bytes) => bytes !== undefined);
  }
}

/** Index along each axis of the value at `at` in the items from `from` on. */
function indexIn(shape: readonly number[], from: number, at: number): string {
  const index: number[] = [];
  let rest = at;
  for (const size of shape.slice(1).reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return (shape.length === 0 ? [] : [from + rest, ...index]).join(", ");
}

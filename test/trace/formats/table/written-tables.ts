import { parseColumnMap } from "../../../../src/trace/column-map.ts";
import type { RoutingTraceFile } from "../../../../src/trace/container/open-trace.ts";
import { isAbsent } from "../../../../src/trace/container/row-check.ts";
import { phases } from "../../../../src/trace/container/trace-tensors.ts";
import { type TableMap, tableFields } from "../../../../src/trace/formats/table/fields.ts";
import { distinctIds, draws } from "../../routing-files.ts";

/** What one token chose in one layer. */
export interface Choice {
  readonly request: string;
  readonly token: number;
  readonly layer: number;
  readonly phase: "prefill" | "decode";
  readonly step: number;
  readonly ids: readonly number[];
  readonly weights: readonly number[];
}

/** Random routing: token after token, all layers of each. Weights descend, as a trace stores them. */
export function randomRouting(
  seed: number,
  shape: { requests: number; layers: readonly number[]; topK: number; experts: number },
): Choice[] {
  const draw = draws(seed);
  const choices: Choice[] = [];
  for (let request = 0; request < shape.requests; request++) {
    const tokens = 1 + draw(6);
    const prompt = 1 + draw(tokens);
    const from = draw(50);
    for (let token = 0; token < tokens; token++)
      for (const layer of shape.layers)
        choices.push({
          request: `r${request}`,
          token,
          layer,
          phase: token < prompt ? "prefill" : "decode",
          step: from + Math.max(0, token - prompt + 1),
          ids: distinctIds(draw, shape.experts, shape.topK),
          weights: Array.from({ length: shape.topK }, (_value, k) => (shape.topK - k) / 16 + draw(4) / 64),
        });
  }
  return choices;
}

export const byLayer = (choices: readonly Choice[]) => [...choices].sort((a, b) => a.layer - b.layer);

export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const draw = draws(seed);
  const left = [...items];
  return items.map(() => left.splice(draw(left.length), 1)[0]!);
}

/** The choices of a trace whose domains name its requests, in the order of rows and layers. */
export async function choicesOf(file: RoutingTraceFile): Promise<Choice[]> {
  const { layers, topK, domains } = file.header;
  const k = topK ?? 1;
  const has = (column: "phase" | "step") => file.columns.includes(column);
  const [position, domain] = [
    await file.readColumn("position", 0, file.rows),
    await file.readColumn("domain", 0, file.rows),
  ];
  const phase = has("phase") ? await file.readColumn("phase", 0, file.rows) : null;
  const step = has("step") ? await file.readColumn("step", 0, file.rows) : null;
  const ids = await Promise.all(layers.map((_layer, i) => file.readLayer(i, 0, file.rows)));
  const weights = file.hasWeights
    ? await Promise.all(layers.map((_layer, i) => file.readWeights(i, 0, file.rows)))
    : null;
  const choices: Choice[] = [];
  for (let row = 0; row < file.rows; row++)
    for (const [i, layer] of layers.entries()) {
      if (isAbsent(ids[i]!, row, k)) continue;
      choices.push({
        request: domains[domain[row]!] ?? "",
        token: position[row]!,
        layer,
        phase: phase?.[row] === phases.decode ? "decode" : "prefill",
        step: step?.[row] ?? 0,
        ids: [...ids[i]!.subarray(row * k, (row + 1) * k)],
        weights: weights === null ? [] : [...weights[i]!.subarray(row * k, (row + 1) * k)],
      });
    }
  return choices;
}

export function mapOf(text: string): TableMap {
  const { map, problems } = parseColumnMap(text, tableFields);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return map;
}

/** Choices of one token together. */
export function tokensOf(choices: readonly Choice[]): Choice[][] {
  const tokens = new Map<string, Choice[]>();
  for (const choice of choices) {
    const key = `${choice.request} ${choice.token}`;
    tokens.set(key, [...(tokens.get(key) ?? []), choice]);
  }
  return [...tokens.values()];
}

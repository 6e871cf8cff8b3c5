import type { Checkpoint } from "../../src/capture/checkpoint/open-checkpoint.ts";
import type {
  Activation,
  DensePlan,
  GqaPlan,
  LinearPlan,
  MlaPlan,
  MoePlan,
  RopePlan,
} from "../../src/capture/decoder/plan.ts";
import type { WeightSource } from "../../src/capture/decoder/weights.ts";
import { type ReferenceChoice, referenceRoute } from "./reference-routing.ts";

type Row = number[];
type Rows = Row[];

/** What the reference computes of a sequence. */
export interface Reference {
  /** Of each layer with experts, of each token. */
  readonly routers: { readonly logits: Row; readonly choice: ReferenceChoice }[][];
  /** [tokens][vocabulary] */
  readonly logits: Rows;
}

/**
 * A decoder as its plan says, value by value in float64 with plain loops: it shares the plan and the reading of files with
 * `src/capture/decoder`, and none of what executes.
 */
export async function referenceRun({ plan, weights }: Checkpoint, tokens: readonly number[]): Promise<Reference> {
  const { hiddenSize, vocabSize, normEpsilon } = plan;
  const read = reader(weights);
  const embedding = await read.matrix(plan.embedding, vocabSize, hiddenSize);
  let states: Rows = tokens.map((token) => [...embedding[token]!]);
  const routers: Reference["routers"] = [];
  for (const layer of plan.layers) {
    const attentionNorm = await read.vector(layer.attentionNorm, hiddenSize);
    const normed = states.map((row) => rms(row, attentionNorm, normEpsilon));
    const attended =
      layer.attention.kind === "gqa"
        ? await grouped(read, layer.attention, normed, normEpsilon)
        : await latent(read, layer.attention, normed);
    states = states.map((row, t) => plus(row, attended[t]!));
    const feedForwardNorm = await read.vector(layer.feedForwardNorm, hiddenSize);
    const before = states.map((row) => rms(row, feedForwardNorm, normEpsilon));
    const { feedForward } = layer;
    if (feedForward.kind === "dense") {
      const dense = await network(read, feedForward);
      states = states.map((row, t) => plus(row, dense(before[t]!)));
      continue;
    }
    const mixed = await mixture(read, feedForward, hiddenSize, before);
    routers.push(mixed.map(({ logits, choice }) => ({ logits, choice })));
    states = states.map((row, t) => plus(row, mixed[t]!.output));
  }
  const finalNorm = await read.vector(plan.finalNorm, hiddenSize);
  const head = await linear(read, plan.head);
  return { routers, logits: states.map((row) => head(rms(row, finalNorm, normEpsilon))) };
}

const reader = (weights: WeightSource) => ({
  async vector(name: string, size: number): Promise<Row> {
    return [...(await weights.read(name, [size]))];
  },
  async matrix(name: string, rows: number, columns: number): Promise<Rows> {
    const values = await weights.read(name, [rows, columns]);
    return Array.from({ length: rows }, (_, r) => [...values.subarray(r * columns, (r + 1) * columns)]);
  },
  /** Item `index` of [items, rows, columns]. */
  async item(name: string, items: number, index: number, rows: number, columns: number): Promise<Rows> {
    const values = await weights.readRange(name, [items, rows, columns], index, index + 1);
    return Array.from({ length: rows }, (_, r) => [...values.subarray(r * columns, (r + 1) * columns)]);
  },
  async itemVector(name: string, items: number, index: number, size: number): Promise<Row> {
    return [...(await weights.readRange(name, [items, size], index, index + 1))];
  },
});
type Reader = ReturnType<typeof reader>;

const plus = (a: Row, b: Row): Row => a.map((value, i) => value + b[i]!);
const times = (a: Row, factor: number): Row => a.map((value) => value * factor);
const dot = (a: Row, b: Row): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

function rms(row: Row, weight: Row, epsilon: number): Row {
  const scale = 1 / Math.sqrt(dot(row, row) / row.length + epsilon);
  return row.map((value, i) => value * scale * weight[i]!);
}

async function linear(read: Reader, { weight, bias, inputWidth, outputWidth }: LinearPlan): Promise<(x: Row) => Row> {
  const rows = await read.matrix(weight, outputWidth, inputWidth);
  const added = bias === null ? null : await read.vector(bias, outputWidth);
  return (x) => rows.map((row, o) => dot(row, x) + (added?.[o] ?? 0));
}

/** The first `dims` values of a head turned by its position, in the checkpoint's own layout. */
function turn(head: Row, position: number, { dims, inverseFrequencies, magnitude, interleaved }: RopePlan): Row {
  const out = [...head];
  for (let pair = 0; pair < dims / 2; pair++) {
    const [a, b] = interleaved ? [2 * pair, 2 * pair + 1] : [pair, pair + dims / 2];
    const angle = position * inverseFrequencies[pair]!;
    const [cos, sin] = [Math.cos(angle) * magnitude, Math.sin(angle) * magnitude];
    out[a] = head[a]! * cos - head[b]! * sin;
    out[b] = head[b]! * cos + head[a]! * sin;
  }
  return out;
}

const headsOf = (row: Row, heads: number): Rows => {
  const width = row.length / heads;
  return Array.from({ length: heads }, (_, h) => row.slice(h * width, (h + 1) * width));
};

/** Softmax attention of the query at `position` over the keys it sees; a sink takes a share and gives nothing. */
function look(
  query: Row,
  position: number,
  keys: Rows,
  values: Rows,
  scale: number,
  window: number | null,
  sink: number | null,
): Row {
  const first = window === null ? 0 : Math.max(0, position - window + 1);
  const scores = keys.slice(first, position + 1).map((key) => dot(query, key) * scale);
  const top = Math.max(...scores, sink ?? Number.NEGATIVE_INFINITY);
  const shares = scores.map((score) => Math.exp(score - top));
  const total = shares.reduce((sum, share) => sum + share, sink === null ? 0 : Math.exp(sink - top));
  return shares.map((share, k) => times(values[first + k]!, share / total)).reduce(plus);
}

async function grouped(read: Reader, plan: GqaPlan, rows: Rows, epsilon: number): Promise<Rows> {
  const { queryHeads, kvHeads, headDim, normScope, clip, rope, scale, windowTokens } = plan;
  const project = async (of: LinearPlan, heads: number, normName: string | null, turns: boolean) => {
    const apply = await linear(read, of);
    const norm =
      normName === null ? null : await read.vector(normName, normScope === "head" ? headDim : heads * headDim);
    return rows.map((row, position) => {
      let out = apply(row);
      if (norm !== null && normScope === "projection") out = rms(out, norm, epsilon);
      if (clip !== null) out = out.map((value) => Math.min(clip, Math.max(-clip, value)));
      return headsOf(out, heads).map((head) => {
        const normed = norm !== null && normScope === "head" ? rms(head, norm, epsilon) : head;
        return turns ? turn(normed, position, rope) : normed;
      });
    });
  };
  const queries = await project(plan.query, queryHeads, plan.queryNorm, true);
  const keys = await project(plan.key, kvHeads, plan.keyNorm, true);
  const values = await project(plan.value, kvHeads, null, false);
  const sinks = plan.sinks === null ? null : await read.vector(plan.sinks, queryHeads);
  const output = await linear(read, plan.output);
  return queries.map((heads, position) =>
    output(
      heads.flatMap((query, h) => {
        const kv = Math.floor(h / (queryHeads / kvHeads));
        const of = (all: Rows[]) => all.map((token) => token[kv]!);
        return look(query, position, of(keys), of(values), scale, windowTokens, sinks?.[h] ?? null);
      }),
    ),
  );
}

/** Epsilon of the norms of latents in the published classes. */
const latentEpsilon = 1e-6;

async function latent(read: Reader, plan: MlaPlan, rows: Rows): Promise<Rows> {
  const { queryHeads, nopeHeadDim, valueHeadDim, kvLoraRank, queryDown, rope, scale } = plan;
  const down = queryDown === null ? null : await linear(read, queryDown.linear);
  const downNorm = queryDown === null ? null : await read.vector(queryDown.norm, queryDown.linear.outputWidth);
  const up = await linear(read, plan.queryUp);
  const kvDown = await linear(read, plan.kvDown);
  const kvNorm = await read.vector(plan.kvNorm, kvLoraRank);
  const kvUp = await linear(read, plan.kvUp);
  const output = await linear(read, plan.output);
  const turnEnd = (head: Row, position: number): Row => [
    ...head.slice(0, nopeHeadDim),
    ...turn(head.slice(nopeHeadDim), position, rope),
  ];
  const queries = rows.map((row, position) => {
    const narrow = down === null || downNorm === null ? row : rms(down(row), downNorm, latentEpsilon);
    return headsOf(up(narrow), queryHeads).map((head) => turnEnd(head, position));
  });
  const keyValues = rows.map((row, position) => {
    const both = kvDown(row);
    const shared = turn(both.slice(kvLoraRank), position, rope);
    const heads = headsOf(kvUp(rms(both.slice(0, kvLoraRank), kvNorm, latentEpsilon)), queryHeads);
    return heads.map((head) => ({
      key: [...head.slice(0, nopeHeadDim), ...shared],
      value: head.slice(nopeHeadDim, nopeHeadDim + valueHeadDim),
    }));
  });
  return queries.map((heads, position) =>
    output(
      heads.flatMap((query, h) => {
        const keys = keyValues.map((token) => token[h]!.key);
        const values = keyValues.map((token) => token[h]!.value);
        return look(query, position, keys, values, scale, null, null);
      }),
    ),
  );
}

function activated(activation: Activation, gate: Row, up: Row): Row {
  if (activation === "silu") return gate.map((value, i) => value * sigmoid(value) * up[i]!);
  return gate.map((value, i) => {
    const low = Math.min(value, 7);
    return (Math.min(7, Math.max(-7, up[i]!)) + 1) * low * sigmoid(1.702 * low);
  });
}

async function network(read: Reader, { gate, up, down, activation }: DensePlan): Promise<(x: Row) => Row> {
  const [g, u, d] = [await linear(read, gate), await linear(read, up), await linear(read, down)];
  return (x) => d(activated(activation, g(x), u(x)));
}

async function mixture(read: Reader, plan: MoePlan, hidden: number, rows: Rows) {
  const gate = await linear(read, plan.gate);
  const bias = plan.selectionBias === null ? null : await read.vector(plan.selectionBias, plan.experts);
  const shared = plan.shared === null ? null : await network(read, plan.shared);
  const sharedGate = plan.sharedGate === null ? null : await linear(read, plan.sharedGate);
  const experts = await Promise.all(
    Array.from({ length: plan.experts }, (_, expert) => expertOf(read, plan, hidden, expert)),
  );
  return rows.map((row) => {
    const logits = gate(row);
    const choice = referenceRoute(logits, plan.topK, plan.routing, bias);
    let output = choice.ids.map((e, k) => times(experts[e]!(row), choice.weights[k]!)).reduce(plus);
    if (shared !== null)
      output = plus(output, times(shared(row), sharedGate === null ? 1 : sigmoid(sharedGate(row)[0]!)));
    return { logits, choice, output };
  });
}

async function expertOf(read: Reader, plan: MoePlan, hidden: number, expert: number): Promise<(x: Row) => Row> {
  const { expert: layout, expertWidth: width, activation, experts } = plan;
  if (layout.kind === "separate") {
    const name = (pattern: string) => pattern.replace("{}", String(expert));
    const part = (pattern: string, inputWidth: number, outputWidth: number): LinearPlan => ({
      weight: name(pattern),
      bias: null,
      inputWidth,
      outputWidth,
    });
    return network(read, {
      kind: "dense",
      gate: part(layout.gate, hidden, width),
      up: part(layout.up, hidden, width),
      down: part(layout.down, width, hidden),
      activation,
    });
  }
  const gateUp = await read.item(layout.gateUp, experts, expert, hidden, 2 * width);
  const gateUpBias = await read.itemVector(layout.gateUpBias, experts, expert, 2 * width);
  const down = await read.item(layout.down, experts, expert, width, hidden);
  const downBias = await read.itemVector(layout.downBias, experts, expert, hidden);
  const column = (matrix: Rows, c: number): Row => matrix.map((row) => row[c]!);
  return (x) => {
    const both = gateUpBias.map((added, c) => dot(x, column(gateUp, c)) + added);
    const gates = both.filter((_, c) => c % 2 === 0);
    const ups = both.filter((_, c) => c % 2 === 1);
    const active = activated(activation, gates, ups);
    return downBias.map((added, c) => dot(active, column(down, c)) + added);
  };
}

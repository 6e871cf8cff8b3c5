/** How the router's logits become experts and weights. */
export interface RoutingRule {
  readonly scoring: "softmax" | "sigmoid";
  /** Weights are divided by their sum over the chosen experts. */
  readonly normalisesTopK: boolean;
  /** Factor on the weights (DeepSeek's routed_scaling_factor). */
  readonly scale: number;
  /**
   * Group-limited selection: `kept` of `count` equal groups may fire, ranked by their best score (`max`, DeepSeek-V2) or
   * the sum of their two best (`topTwo`, DeepSeek-V3); or every group gives topK / count experts (`each`, MoGE). null:
   * plain top-k.
   */
  readonly groups: {
    readonly count: number;
    readonly kept: number;
    readonly rank: "max" | "topTwo" | "each";
  } | null;
}

/** What the router of one layer chose for consecutive tokens. */
export interface RoutedTokens {
  /** [tokens, topK], by descending weight, equal ones by ascending id. */
  readonly ids: Uint16Array;
  /** [tokens, topK], as they multiply the experts' outputs. */
  readonly weights: Float32Array;
  /** [tokens, experts] softmax or sigmoid of the logits, before any bias. */
  readonly scores: Float32Array;
  /** Tokens whose choice hangs on a gap that float32 layers may not reproduce. */
  readonly nearTies: number;
}

/**
 * Two selection scores whose gap is below this share of the largest of the row are a near tie: 256 times the rounding of
 * one float32 value, about what float32 layers accumulate against float64.
 */
const nearTieShare = 2 ** -16;

/**
 * Chooses experts for tokens as the models publish it, in float64. `logits` is [tokens, experts]. `selectionBias` (DeepSeek-V3,
 * section 2.1.2: [experts]) is added to the scores for selection only. Equal scores go to the lower id.
 */
export function routeTokens(
  logits: Float32Array,
  experts: number,
  topK: number,
  rule: RoutingRule,
  selectionBias: Float32Array | null = null,
): RoutedTokens {
  const tokens = logits.length / experts;
  const out = {
    ids: new Uint16Array(tokens * topK),
    weights: new Float32Array(tokens * topK),
    scores: new Float32Array(tokens * experts),
    nearTies: 0,
  };
  const row = new RowRouter(experts, topK, rule);
  for (let token = 0; token < tokens; token++) {
    if (row.route(logits, token * experts, selectionBias)) out.nearTies++;
    out.ids.set(row.ids, token * topK);
    out.weights.set(row.weights, token * topK);
    out.scores.set(row.scores, token * experts);
  }
  return out;
}

/** Routes one row after another in arrays of its own. */
class RowRouter {
  readonly ids: Uint16Array;
  readonly weights: Float64Array;
  readonly scores: Float64Array;
  readonly #rule: RoutingRule;
  readonly #selection: Float64Array;
  readonly #groupScores: Float64Array;
  readonly #groupOpen: Uint8Array;
  readonly #taken: Uint8Array;
  #tolerance = 0;
  #nearTie = false;

  constructor(experts: number, topK: number, rule: RoutingRule) {
    this.ids = new Uint16Array(topK);
    this.weights = new Float64Array(topK);
    this.scores = new Float64Array(experts);
    this.#rule = rule;
    this.#selection = new Float64Array(experts);
    this.#groupScores = new Float64Array(rule.groups?.count ?? 1);
    this.#groupOpen = new Uint8Array(rule.groups?.count ?? 1);
    this.#taken = new Uint8Array(experts);
  }

  /** Fills ids, weights and scores from logits[at ..]; returns whether the choice is a near tie. */
  route(logits: Float32Array, at: number, bias: Float32Array | null): boolean {
    const experts = this.scores.length;
    const topK = this.ids.length;
    this.#nearTie = false;
    this.#score(logits, at, bias);
    this.#taken.fill(0);
    const { groups } = this.#rule;
    if (groups?.rank === "each") {
      const each = topK / groups.count;
      const size = experts / groups.count;
      for (let g = 0; g < groups.count; g++) this.#choose(g * each, each, g * size, (g + 1) * size);
    } else {
      this.#openGroups();
      this.#choose(0, topK, 0, experts);
    }
    this.#weigh();
    return this.#nearTie;
  }

  /** Scores of all experts, and what they are selected by: logits under softmax, which keeps their order and their gaps. */
  #score(logits: Float32Array, at: number, bias: Float32Array | null): void {
    const { scores } = this;
    const selection = this.#selection;
    const experts = scores.length;
    let largest = 0;
    if (this.#rule.scoring === "softmax") {
      let top = Number.NEGATIVE_INFINITY;
      for (let e = 0; e < experts; e++) top = Math.max(top, logits[at + e]!);
      let sum = 0;
      for (let e = 0; e < experts; e++) sum += scores[e] = Math.exp(logits[at + e]! - top);
      for (let e = 0; e < experts; e++) scores[e] = scores[e]! / sum;
    } else for (let e = 0; e < experts; e++) scores[e] = 1 / (1 + Math.exp(-logits[at + e]!));
    for (let e = 0; e < experts; e++) {
      const plain = this.#rule.scoring === "softmax" && bias === null ? logits[at + e]! : scores[e]!;
      selection[e] = plain + (bias === null ? 0 : bias[e]!);
      largest = Math.max(largest, Math.abs(selection[e]!));
    }
    this.#tolerance = largest * nearTieShare;
  }

  /** Opens the groups that may fire. */
  #openGroups(): void {
    const { groups } = this.#rule;
    const open = this.#groupOpen.fill(1);
    if (groups === null || groups.kept === groups.count) return;
    const scores = this.#groupScores;
    const size = this.scores.length / groups.count;
    for (let g = 0; g < groups.count; g++) {
      let best = Number.NEGATIVE_INFINITY;
      let second = Number.NEGATIVE_INFINITY;
      for (let e = g * size; e < (g + 1) * size; e++) {
        const score = this.#selection[e]!;
        if (score > best) {
          second = best;
          best = score;
        } else if (score > second) second = score;
      }
      scores[g] = groups.rank === "topTwo" && size > 1 ? best + second : best;
    }
    open.fill(0);
    let last = 0;
    for (let n = 0; n < groups.kept; n++) {
      let best = -1;
      for (let g = 0; g < groups.count; g++) if (open[g] === 0 && (best < 0 || scores[g]! > scores[best]!)) best = g;
      open[best] = 1;
      last = scores[best]!;
    }
    for (let g = 0; g < groups.count; g++)
      if (open[g] === 0 && last - scores[g]! < 2 * this.#tolerance) this.#nearTie = true;
  }

  /** The `count` best experts of [from, to) whose groups are open, into ids[at ..]. */
  #choose(at: number, count: number, from: number, to: number): void {
    const selection = this.#selection;
    const size = this.scores.length / this.#groupOpen.length;
    const grouped = this.#rule.groups !== null && this.#rule.groups.rank !== "each";
    const available = (e: number) => this.#taken[e] === 0 && !(grouped && this.#groupOpen[Math.floor(e / size)] === 0);
    let last = 0;
    for (let k = 0; k < count; k++) {
      let best = -1;
      for (let e = from; e < to; e++) if (available(e) && (best < 0 || selection[e]! > selection[best]!)) best = e;
      this.#taken[best] = 1;
      this.ids[at + k] = best;
      last = selection[best]!;
    }
    for (let e = from; e < to; e++) if (available(e) && last - selection[e]! < this.#tolerance) this.#nearTie = true;
  }

  /** Weights of the chosen experts from their unbiased scores; sorts both by descending weight. */
  #weigh(): void {
    const { ids, weights, scores } = this;
    const { normalisesTopK, scale } = this.#rule;
    ids.sort((a, b) => scores[b]! - scores[a]! || a - b);
    let sum = 0;
    for (let k = 0; k < ids.length; k++) sum += weights[k] = scores[ids[k]!]!;
    // Sigmoid scores may all vanish; the published code adds 1e-20.
    const factor = scale / (normalisesTopK ? sum + 1e-20 : 1);
    for (let k = 0; k < ids.length; k++) weights[k] = weights[k]! * factor;
  }
}

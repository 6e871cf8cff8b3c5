/** A request of the naive scheduler, with all it has been given so far. */
interface Sequence {
  readonly at: number;
  readonly prompt: number;
  readonly output: number;
  /** Tokens in the cache, tokens emitted, KV blocks held. */
  computed: number;
  emitted: number;
  blocks: number;
  first: number;
  last: number;
  preempted: number;
}

interface ReferenceOptions {
  readonly stepNs: number;
  readonly blocks: number;
  readonly blockTokens: number;
  /** Layers that keep blocks of their own: all tokens, those of a window, or one block for a state. */
  readonly layers?: readonly ("full" | "state" | { readonly window: number })[];
  readonly maxBatchTokens: number;
  readonly maxSequences: number;
  readonly chunked: boolean;
  /** Whether prompts and decodes share steps. */
  readonly mixes: boolean;
}

/**
 * Continuous batching of one data-parallel rank by its definition, with steps of constant length: lists of objects,
 * everything looked up anew. Free blocks are what no running sequence holds, and it holds those with a token that its step
 * sees. Written apart from the simulator, to compare with it.
 */
export function referenceSchedule(
  requests: readonly { at: number; prompt: number; output: number }[],
  options: ReferenceOptions,
): { first: number[]; last: number[]; preempted: number[]; steps: number } {
  const all: Sequence[] = requests.map((request) => ({
    ...request,
    computed: 0,
    emitted: 0,
    blocks: 0,
    first: Number.NaN,
    last: Number.NaN,
    preempted: 0,
  }));
  const future = [...all];
  let waiting: Sequence[] = [];
  let running: Sequence[] = [];
  let now = 0;
  let steps = 0;
  while (future.length > 0 || waiting.length > 0 || running.length > 0) {
    if (waiting.length === 0 && running.length === 0) now = Math.max(now, future[0]?.at ?? now);
    while (future.length > 0 && (future[0]?.at ?? 0) <= now) waiting.push(...future.splice(0, 1));
    const step = formStep();
    if (step.size === 0) throw new Error("the reference is stuck");
    steps++;
    now += options.stepNs;
    for (const [sequence, tokens] of step) {
      sequence.computed += tokens;
      if (sequence.computed < sequence.prompt + sequence.emitted) continue;
      sequence.emitted++;
      if (sequence.emitted === 1) sequence.first = now;
      sequence.last = now;
    }
    for (const sequence of running) if (sequence.emitted === sequence.output) sequence.blocks = 0;
    running = running.filter((sequence) => sequence.emitted < sequence.output);
  }
  return {
    first: all.map((sequence) => sequence.first),
    last: all.map((sequence) => sequence.last),
    preempted: all.map((sequence) => sequence.preempted),
    steps,
  };

  function left(sequence: Sequence): number {
    return sequence.prompt + sequence.emitted - sequence.computed;
  }

  function blocksFor(computed: number, tokens: number): number {
    let blocks = 0;
    for (const layer of options.layers ?? (["full"] as const)) {
      if (layer === "state") blocks++;
      else if (layer === "full") blocks += Math.ceil(tokens / options.blockTokens);
      else {
        const seen = Math.max(0, computed - layer.window + 1);
        for (let from = 0; from < tokens; from += options.blockTokens) if (from + options.blockTokens > seen) blocks++;
      }
    }
    return blocks;
  }

  function reserve(sequence: Sequence, tokens: number): boolean {
    const held = running.reduce((sum, other) => sum + other.blocks, 0);
    const wanted = blocksFor(sequence.computed, tokens);
    if (held - sequence.blocks + wanted > options.blocks) return false;
    sequence.blocks = wanted;
    return true;
  }

  function preempt(sequence: Sequence): void {
    running = running.filter((other) => other !== sequence);
    waiting = [sequence, ...waiting];
    sequence.blocks = 0;
    sequence.computed = 0;
    sequence.preempted++;
  }

  function formStep(): Map<Sequence, number> {
    const step = new Map<Sequence, number>();
    let budget = options.maxBatchTokens;
    const run = (sequence: Sequence, tokens: number) => {
      step.set(sequence, tokens);
      budget -= tokens;
    };
    const isDecoding = (sequence: Sequence) => sequence.emitted > 0 && left(sequence) === 1;

    const decodes = (): boolean => {
      let enough = true;
      for (const sequence of running.filter(isDecoding)) {
        if (budget === 0 || step.size === options.maxSequences) break;
        if (!running.includes(sequence)) continue;
        while (running.includes(sequence) && !reserve(sequence, sequence.computed + 1)) {
          enough = false;
          const youngest = running.findLast((other) => !step.has(other));
          preempt(youngest ?? sequence);
        }
        if (running.includes(sequence)) run(sequence, 1);
      }
      return enough;
    };
    const prompts = (): boolean => {
      for (const sequence of running.filter((other) => !isDecoding(other))) {
        if (budget <= 0 || step.size === options.maxSequences) break;
        const tokens = Math.min(left(sequence), budget);
        if (!reserve(sequence, sequence.computed + tokens)) return false;
        run(sequence, tokens);
      }
      return true;
    };
    const newcomers = (): void => {
      while (budget > 0 && running.length < options.maxSequences && step.size < options.maxSequences) {
        const [next, ...others] = waiting;
        if (next === undefined) return;
        const tokens = options.chunked ? Math.min(left(next), budget) : left(next);
        if (tokens > budget && step.size > 0) return;
        running.push(next);
        if (!reserve(next, tokens)) {
          running.pop();
          return;
        }
        waiting = others;
        run(next, tokens);
      }
    };
    /** A whole prompt that would never fit beside the decodes gets a step without them. */
    const apart = (): boolean => {
      const [next] = waiting;
      if (options.chunked || next === undefined || running.length === options.maxSequences) return false;
      const held = running.reduce((sum, other) => sum + other.blocks, 0);
      return left(next) + running.length > options.maxBatchTokens && blocksFor(0, left(next)) <= options.blocks - held;
    };

    if (options.mixes && !apart()) {
      const enough = decodes();
      if (prompts() && enough) newcomers();
    } else {
      if (prompts()) newcomers();
      if (step.size === 0) decodes();
    }
    while (step.size === 0 && running.length > 1) {
      const youngest = running.at(-1);
      if (youngest !== undefined) preempt(youngest);
      prompts();
    }
    return step;
  }
}

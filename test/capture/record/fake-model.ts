import type { LayerPlan } from "../../../src/capture/decoder/plan.ts";
import type { LayerExecutor, LayerJob } from "../../../src/capture/record/record-layers.ts";

const fakeHidden = 3;
const experts = 4;
const topK = 2;

/** Layers that only say what they are; the second is dense. */
const fakeLayers = [0, 1, 2, 3].map(
  (index) => ({ index, feedForward: index === 1 ? { kind: "dense" } : { kind: "moe", experts, topK } }) as LayerPlan,
);

/**
 * A model on three hidden values whose attention is the mean of the sequence so far and whose experts are chosen by the
 * states: enough for a lost, repeated or misplaced row to change everything behind it. `before` hears of every call.
 */
export function fakeExecutor(before: (call: string) => void = () => {}): LayerExecutor {
  const routing = (states: Float32Array) => {
    const tokens = states.length / fakeHidden;
    const chosen = Array.from({ length: tokens }, (_value, row) => {
      const first = Math.floor(Math.abs(states[row * fakeHidden]! * 1000)) % experts;
      return [
        first,
        (first + 1 + (Math.floor(Math.abs(states[row * fakeHidden + 1]! * 1000)) % (experts - 1))) % experts,
      ];
    });
    return {
      ids: Uint16Array.from(chosen.flat()),
      weights: Float32Array.from(chosen.flat(), (id) => 0.5 + id / 16),
      scores: Float32Array.from(
        { length: tokens * experts },
        (_value, i) => states[Math.floor(i / experts) * fakeHidden]! / (1 + (i % experts)),
      ),
      nearTies: chosen.filter(([first]) => first === 0).length,
    };
  };
  return {
    async embed(tokens) {
      before("embed");
      return Float32Array.from({ length: tokens.length * fakeHidden }, (_value, i) =>
        Math.sin(tokens[Math.floor(i / fakeHidden)]! * 7 + (i % fakeHidden)),
      );
    },
    async open({ index }) {
      before("open");
      return {
        async attention(states) {
          before("attention");
          for (let c = 0; c < fakeHidden; c++) {
            let sum = 0;
            for (let row = 0; row * fakeHidden < states.length; row++) {
              const at = row * fakeHidden + c;
              sum += states[at]!;
              states[at] = states[at]! + Math.cos(sum / (row + 1) + index);
            }
          }
          return null;
        },
        async feedForward(states, pause) {
          before("feedForward");
          const chosen = index === 1 ? null : routing(states);
          for (let i = 0; i < states.length; i++)
            states[i] = Math.sin(states[i]! * 1.7 + (chosen?.ids[Math.floor(i / fakeHidden) * topK] ?? 0));
          await pause(0.5);
          return chosen;
        },
        async route(states) {
          before("route");
          return routing(states);
        },
        dispose() {},
      };
    },
  };
}

/** Six sequences of different length on the fake model. */
export function fakeJob(executor: LayerExecutor, given: Partial<LayerJob> = {}): LayerJob {
  const lengths = [5, 1, 7, 3, 2, 6];
  const starts = Uint32Array.from([0, ...lengths.map((_length, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b))]);
  return {
    executor,
    layers: fakeLayers,
    hiddenSize: fakeHidden,
    tokens: Uint32Array.from({ length: 24 }, (_value, i) => (i * i) % 11),
    starts,
    tokensPerGroup: [9, 9, 9, 9],
    keepWeights: true,
    keepScores: true,
    decoded: null,
    onProgress: () => {},
    onFinished: async () => {},
    signal: new AbortController().signal,
    ...given,
  };
}

/** A published predictor, by its quality. */
export interface GatePreset {
  /** Share of the experts asked for that it names; it names as many as are asked for, so this is its precision too. */
  readonly accuracy: number;
  /** Layers ahead that the figure is published for; null: as many as the predictor is trained for. */
  readonly distance: number | null;
  /** Time of one guess, ns; 0 where none is published. */
  readonly latencyNs: number;
}

/** Presets of `gate`. A figure is that of the authors' models: no other model need be as predictable. */
export const gatePresets = {
  /** A perceptron of two layers for each layer, on the CPU: ProMoE, arXiv 2410.22134. */
  promoe: { accuracy: 0.847, distance: null, latencyNs: 200_000 },
  /** The next layer's gate on the input of this one's, Qwen1.5-MoE and DeepSeek-MoE: Fate, arXiv 2502.12224. */
  fate: { accuracy: 0.97, distance: 1, latencyNs: 0 },
  /** The next layer's gate on the hidden state of this one, Mixtral-8x7B: DAOP, arXiv 2501.10375. */
  daop: { accuracy: 0.8411, distance: 1, latencyNs: 0 },
} as const satisfies Record<string, GatePreset>;

export type GatePresetName = keyof typeof gatePresets;

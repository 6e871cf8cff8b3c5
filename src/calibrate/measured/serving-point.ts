/**
 * One measured point of a served deployment: a closed loop of `concurrency` clients with fixed lengths, and the TTFT
 * and TPOT it showed. Times ms. Degrees as the simulator names them (tp x dp attention ranks, etp x ep expert ranks).
 */
export interface ServingPoint {
  /** As written in the file, such as `deepseek-ai/DeepSeek-V3`, `h200_sxm`, `sglang`. */
  readonly model: string;
  readonly system: string;
  readonly engine: string;
  readonly version: string;
  readonly precision: string;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly concurrency: number;
  /** Requests of the measurement; null where the source does not state it. */
  readonly requests: number | null;
  readonly tp: number;
  readonly dp: number;
  readonly etp: number;
  readonly ep: number;
  readonly devices: number;
  /** null where the source does not state it. */
  readonly ttftMs: number | null;
  readonly tpotMs: number | null;
  /** Date of the measurement as written; null where unstated. */
  readonly measured: string | null;
  readonly file: string;
  /** 1-based line of the file. */
  readonly line: number;
}

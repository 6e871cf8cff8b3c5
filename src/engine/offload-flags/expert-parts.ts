/** Matrices of an expert in the order in which they are multiplied. An expert without a gate has two. */
export const expertMatrices = ["up", "gate", "down"] as const;
export type ExpertMatrix = (typeof expertMatrices)[number];

/** What crosses between device and host in one transfer: values of each token, or of each (token, expert) pair. */
export interface PartCrossing {
  readonly of: "tokens" | "pairs";
  /** `hidden`: as wide as what experts read and give; `inner`: as wide as between their matrices. */
  readonly width: "hidden" | "inner";
}

/**
 * Experts of a layer of whose matrices some lie on the device and others in host memory. Each is multiplied where it lies, all
 * experts of a call together, one matrix after the other: device and host take turns.
 */
export interface ExpertParts {
  /** Matrices in host memory, none of them all. */
  readonly host: readonly ExpertMatrix[];
  /** Part of an expert's weights that they are. */
  readonly hostShare: number;
  /** Part of the weights that the device multiplies once the host has done its last product. */
  readonly lastShare: number;
  /** How often a call goes to the host. */
  readonly visits: number;
  /** What crosses up to the end of the host's last product, and after it. */
  readonly before: readonly PartCrossing[];
  readonly after: readonly PartCrossing[];
  /** Bytes of a value that crosses. */
  readonly valueBytes: number;
}

/** ggml gives products in float32 (ggml/src/ggml.c, ggml_mul_mat_id). */
const valueBytes = 4;

/**
 * Parts as ggml runs them: up, gate, activation, down (llama.cpp, src/llama-graph.cpp, build_moe_ffn). The activation has no weights:
 * it goes where the product before it was, or after it if one of them was on the device (ggml/src/ggml-backend.cpp,
 * ggml_backend_sched_split_graph). `matrices`: 3, or 2 without a gate.
 */
export function expertParts(host: readonly ExpertMatrix[], matrices: 2 | 3): ExpertParts {
  const order = expertMatrices.filter((matrix) => matrices === 3 || matrix !== "gate");
  const onHost = order.map((matrix) => host.includes(matrix));
  const share = (is: (at: number) => boolean): number => order.filter((_, at) => is(at)).length / order.length;
  const inner = order.slice(0, -1);
  const downOnHost = host.includes("down");
  const activationOnHost = downOnHost && onHost[inner.length - 1] === true;
  const there: PartCrossing[] = [];
  const back: PartCrossing[] = [];
  if (inner.some((_, at) => onHost[at])) there.push({ of: "tokens", width: "hidden" });
  for (const [at] of inner.entries())
    if (onHost[at] !== activationOnHost) (onHost[at] ? back : there).push({ of: "pairs", width: "inner" });
  if (downOnHost && !activationOnHost) there.push({ of: "pairs", width: "inner" });
  const last = onHost.lastIndexOf(true);
  return {
    host: order.filter((_, at) => onHost[at]),
    hostShare: share((at) => onHost[at]!),
    lastShare: share((at) => at > last),
    visits: onHost.filter((is, at) => is && onHost[at - 1] !== true).length,
    before: downOnHost ? [...there, ...back] : there,
    after: downOnHost ? [{ of: "pairs", width: "hidden" }] : back,
    valueBytes,
  };
}

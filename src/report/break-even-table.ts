import { refuse } from "../core/errors.ts";
import { formatDuration, formatNumber } from "../core/units.ts";
import { type BreakEven, breakEven, type ExpertShape } from "../hardware/break-even.ts";
import type { Node } from "../hardware/device.ts";
import { hostDevice } from "../hardware/host-processors.ts";
import { nodeNamed, systemIds } from "../hardware/named-profiles.ts";
import { expertBytes, ownBytes } from "../models/bytes.ts";
import { modelNamed } from "../models/catalogue.ts";
import { expertMatrices } from "../models/parameters.ts";
import type { ModelSpec, MoeFeedForward } from "../models/spec.ts";
import { moeShape } from "../sim/mapping.ts";

/** Models of the table: small and large experts, in the formats of their releases. */
export const breakEvenModels = ["gpt-oss-20b", "qwen3-30b-a3b", "deepseek-v3"] as const;

function expertOf(model: ModelSpec, moe: MoeFeedForward): ExpertShape {
  return {
    bytes: expertBytes(moe, model),
    parametersPerExpert: expertMatrices(moe),
    shardWidth: moe.expertWidth,
    valuesPerPair: 2 * model.hiddenSize + 3 * moe.expertWidth,
    weightFormat: model.formats.experts,
    ...ownBytes(model, "experts"),
  };
}

const rate = (bytesPerSecond: number): string => `${formatNumber(bytesPerSecond / 1e9)} GB/s`;
const tokens = (count: number): string => (count === Number.POSITIVE_INFINITY ? "never" : formatNumber(count));

/** Tokens of a batch in which an expert has s* of them on average: s* x experts / topK. */
const batchOf = ({ tokensPerExpert }: BreakEven, { experts, topK }: MoeFeedForward): number =>
  (tokensPerExpert * experts) / topK;

/** Break-even of a system for a model, and how it comes about, in lines; throws InvalidInputError without experts. */
export function breakEvenLines(node: Node, modelId: string): string[] {
  const model = modelNamed(modelId);
  const moe = moeShape(model);
  if (moe === null) refuse({ at: "--model", expected: "a model with routed experts", found: modelId });
  const { device, host, tiers } = node;
  const found = breakEven(node, expertOf(model, moe));
  const title = `Moving an expert of ${model.name} to ${device.name}, or computing it on the host`;
  if (found === null) {
    const why =
      device.hostLink === null || tiers.length === 0
        ? `nothing to move: ${device.name} has no memory behind a link`
        : host === undefined
          ? "the processors of the host are not known: hardware.host of a scenario states them"
          : "the node has no host memory";
    return [title, `  ${why}`];
  }
  const { moveNs, tokensPerExpert, tokensPerRead, hostBytesPerSecond, linkBytesPerSecond } = found;
  const closedForm = (tokensPerRead * hostBytesPerSecond) / linkBytesPerSecond;
  return [
    title,
    `  moving takes ${formatDuration(moveNs)} at ${rate(linkBytesPerSecond)}; ${hostDevice(node)?.name ?? ""} reads it at ${rate(hostBytesPerSecond)} and computes ${formatNumber(tokensPerRead)} tokens meanwhile`,
    `  s* = ${tokens(tokensPerExpert)} tokens of an expert: from there on moving is quicker (k x B_host / B_link = ${formatNumber(closedForm)})`,
    `  B* = s* x ${moe.experts} / ${moe.topK} = ${tokens(batchOf(found, moe))} tokens in a batch`,
  ];
}

/** Rows of the table of all systems with known host processors: link, host, and s* and B* of each model. */
export function breakEvenRows(): string[][] {
  return systemIds.flatMap((id) => {
    const node = nodeNamed(id);
    const shapes = breakEvenModels.map((modelId) => {
      const model = modelNamed(modelId);
      const moe = moeShape(model);
      if (moe === null) throw new RangeError(`${modelId} has no experts`);
      return { moe, found: breakEven(node, expertOf(model, moe)) };
    });
    const [first] = shapes;
    if (first?.found == null) return [];
    const { hostBytesPerSecond, linkBytesPerSecond } = first.found;
    return [
      [
        `\`${id}\``,
        hostDevice(node)?.name ?? "",
        rate(hostBytesPerSecond),
        rate(linkBytesPerSecond),
        ...shapes.map(({ moe, found }) =>
          found === null ? "" : `${tokens(found.tokensPerExpert)} / ${tokens(Math.round(batchOf(found, moe)))}`,
        ),
      ],
    ];
  });
}

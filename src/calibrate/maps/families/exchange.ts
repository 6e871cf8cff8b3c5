import { exchangeShape } from "../../../hardware/cost/exchange.ts";
import type { ExchangeOp } from "../../../hardware/op.ts";
import { spreadKnots } from "../knots.ts";
import type { CalibrationFamily } from "./family.ts";

const sizeKnots = 9;
const expertKnots = 3;

/** Dispatch and combine of expert-exchange libraries. */
export const exchangeFamily: CalibrationFamily<ExchangeOp> = {
  shape: exchangeShape,
  byEngine: true,
  format: () => undefined,
  axes: (ops) => {
    const [bytes, ranks, experts] = exchangeShape.axes.map(({ name, of }) => ({ name, values: ops.map(of) }));
    if (bytes === undefined || ranks === undefined || experts === undefined)
      throw new RangeError("an exchange has three axes");
    return [
      { name: bytes.name, knots: spreadKnots(bytes.values, sizeKnots) },
      { name: ranks.name, knots: [...new Set(ranks.values)].sort((a, b) => a - b) },
      { name: experts.name, knots: spreadKnots(experts.values, expertKnots) },
    ];
  },
};

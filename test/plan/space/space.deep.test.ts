import { expect, test } from "vitest";
import { done } from "../outcomes.ts";
import { planIn, WorldExecutor } from "../worlds.ts";

test.each([["plan.budget.devices=1000000"], ["plan.budget.devices=2000", "plan.pools=both"]])(
  "a space of more deployments than anyone looks at is refused, whatever it would take: %s",
  async (...settings) => {
    const executor = new WorldExecutor(({ requests }) => done({ requests }));
    await expect(planIn(executor, settings)).rejects.toThrow("at most 200,000 deployments");
  },
);

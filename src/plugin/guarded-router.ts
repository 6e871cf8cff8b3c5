import type { Router } from "../policy/router/router.ts";
import { type PluginCalls, type PolicyName, wrong } from "./plugin-calls.ts";

/** A router of a plugin that chooses one of its targets, or ends the run. */
export function guardedRouter(router: Router, targets: number, calls: PluginCalls, name: PolicyName): Router {
  if (typeof (router as Partial<Router> | null)?.choose !== "function")
    throw wrong(name, { expected: "create to return a router with choose()", found: router });
  return {
    choose: (request, view) => {
      const chosen = calls.ask(name, "choose(request, view)", () => router.choose(request, view));
      if (!Number.isInteger(chosen) || chosen < 0 || chosen >= targets)
        throw wrong(name, { expected: `a target from 0 to ${targets - 1} for request ${request}`, found: chosen });
      return chosen;
    },
  };
}

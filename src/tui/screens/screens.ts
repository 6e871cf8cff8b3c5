import { cacheScreen } from "./cache.ts";
import { compareScreen } from "./compare.ts";
import { expertsScreen } from "./experts.ts";
import { homeScreen } from "./home.ts";
import { ledgerScreen } from "./ledger.ts";
import { linksScreen } from "./links.ts";
import { planScreen } from "./plan.ts";
import { requestsScreen } from "./requests.ts";
import { runScreen } from "./run.ts";
import type { AnyScreen } from "./screen.ts";
import { whatIfScreen } from "./what-if.ts";

/** All screens, in the order of their numbers. */
export const screens: readonly AnyScreen[] = [
  homeScreen,
  runScreen,
  expertsScreen,
  cacheScreen,
  linksScreen,
  requestsScreen,
  whatIfScreen,
  compareScreen,
  ledgerScreen,
  planScreen,
];

/** The screen of an id. */
export const screenOf = (id: string): AnyScreen => screens.find((one) => one.id === id) ?? screens[0]!;

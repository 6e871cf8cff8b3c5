import { homeScreen } from "./home.ts";
import { runScreen } from "./run.ts";
import type { AnyScreen } from "./screen.ts";
import { whatIfScreen } from "./what-if.ts";

/** All screens, in the order of their numbers. */
export const screens: readonly AnyScreen[] = [homeScreen, runScreen, whatIfScreen];

/** The screen of an id. */
export const screenOf = (id: string): AnyScreen => screens.find((one) => one.id === id) ?? screens[0]!;

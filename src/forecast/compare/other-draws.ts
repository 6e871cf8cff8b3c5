import type { Forecast } from "../forecast.ts";

/** What two runs drew differently: seed, requests, routing; empty if they share every draw. */
export function otherDraws(before: Forecast, after: Forecast): string[] {
  const digests = (forecast: Forecast, role: string) =>
    forecast.inputs
      .filter((input) => input.role === role)
      .map(({ sha256 }) => sha256)
      .join();
  return [
    ...(before.seed === after.seed ? [] : ["seed"]),
    ...["requests", "routing"].filter((role) => digests(before, role) !== digests(after, role)),
  ];
}

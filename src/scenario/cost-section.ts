import { z } from "zod";
import { word } from "./quantity.ts";

/** Price of the deployment, where it differs from the profile or the profile has none. */
export const costSection = z.strictObject({
  usdPerDeviceHour: z.number().min(0).max(1e6).describe("US dollars per device and hour."),
  source: word().optional().describe("Where the price comes from and when, printed with the result."),
});

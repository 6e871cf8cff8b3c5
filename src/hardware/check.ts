import type { MathFormat } from "../core/dtype.ts";
import type { Problem } from "../core/errors.ts";
import type { DeviceProfile } from "./profile-schema.ts";

/**
 * Largest ratio of the 8-bit to the 16-bit peak. Hardware doubles the rate when the width halves; printed figures add
 * rounding. A larger ratio is a sparse (2:4) figure taken for a dense one.
 */
const ratioMax = 2.1;
/**
 * The same of int8 where bf16 runs at half its rate: on processors, whose vector units widen bf16 to fp32 and add up four 8-bit
 * products where one of fp32 fits, and on GeForce parts before fp8, which halve bf16 with fp32 accumulation alone.
 */
const halvedRatioMax = 4.2;
/** Largest ratio of the fp4 to the 8-bit peak: B300 and GB300 triple it (14,000 over 4,500). */
const fp4RatioMax = 3.4;

/**
 * Pairs of peaks, and the ratio that the narrow one may reach over the fastest base of the first set that the device
 * has. GeForce parts halve bf16 and fp8 with fp32 accumulation but neither int8 nor fp4, so int8 is held against fp8, and
 * fp4 against both; B300 and GB300 have hardly any int8.
 */
const ratios: readonly { narrow: MathFormat; bases: readonly (readonly MathFormat[])[]; most: number }[] = [
  { narrow: "fp8", bases: [["bf16"]], most: ratioMax },
  { narrow: "int8", bases: [["fp8"], ["bf16"]], most: ratioMax },
  { narrow: "fp4", bases: [["fp8", "int8"], ["bf16"]], most: fp4RatioMax },
];

const formats = ["bf16", "fp8", "int8", "fp4"] as const satisfies readonly MathFormat[];

/** Figures of a device profile that contradict physics or the vendor's own figures. Empty for a sound profile. */
export function checkProfile(profile: DeviceProfile): Problem[] {
  const problems: Problem[] = [];
  const { peak, vendorPeak, achieved, memory } = profile;
  const say = (at: string, expected: string, found: unknown, hint?: string) =>
    problems.push({ at: `${profile.id}.${at}`, expected, found, ...(hint === undefined ? {} : { hint }) });

  for (const { narrow, bases, most } of ratios) {
    const top = peak[narrow]?.value;
    const rates = (set: readonly MathFormat[]) => set.flatMap((format) => peak[format]?.value ?? []);
    const wide = bases.find((set) => rates(set).length > 0);
    if (top === undefined || wide === undefined) continue;
    const base = Math.max(...rates(wide));
    const halved = profile.kind === "cpu" || (wide.includes("bf16") && profile.name.includes("GeForce"));
    const limit = halved && narrow === "int8" ? halvedRatioMax : most;
    if (top > limit * base)
      say(
        `peak.${narrow}`,
        `at most ${limit} x the ${wide.join(" or ")} peak of ${base}`,
        top,
        "a sparse figure taken for dense?",
      );
  }
  for (const format of formats) {
    const limit = peak[format]?.value;
    const listed = vendorPeak?.[format]?.value;
    if (limit !== undefined && listed !== undefined && limit > listed)
      say(`peak.${format}`, `at most the vendor's ${listed}`, limit);
    const reached = achieved?.[format]?.value;
    if (reached === undefined) continue;
    if (limit === undefined) say(`achieved.${format}`, `a ${format} peak to compare with`, reached);
    else if (reached > limit) say(`achieved.${format}`, `at most the peak of ${limit}`, reached);
  }
  const reserved = memory.reservedBytes?.value;
  if (reserved !== undefined && reserved >= memory.bytes.value)
    say("memory.reservedBytes", `less than the total of ${memory.bytes.value}`, reserved);
  const streamed = achieved?.memoryBytesPerSecond?.value;
  if (streamed !== undefined && streamed > memory.bytesPerSecond.value)
    say("achieved.memoryBytesPerSecond", `at most the nominal ${memory.bytesPerSecond.value}`, streamed);
  const idle = profile.idlePowerW?.value;
  if (idle !== undefined && profile.powerW !== undefined && idle >= profile.powerW.value)
    say("idlePowerW", `less than the active ${profile.powerW.value} W`, idle);
  const norm = profile.efficiency.rooflineNorm?.value;
  if (norm !== undefined && norm < 1) say("efficiency.rooflineNorm", "a norm of at least 1", norm);
  if (profile.scaleUp === null && profile.scaleUpDomain.value > 1)
    say("scaleUpDomain", "1 where there is no scale-up link", profile.scaleUpDomain.value);
  return problems;
}

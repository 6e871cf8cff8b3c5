import { oneLine } from "../../core/printable.ts";
import { formatCount, formatDuration, formatNumber } from "../../core/units.ts";
import { adviceLines } from "../../report/advice-lines.ts";
import { headline } from "../../report/headline.ts";
import { bottleneckLabel } from "../../report/labels.ts";
import { wrap } from "../../report/text-table.ts";
import { bars } from "../../report/widgets/bar-line.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { fitLine } from "../../report/widgets/styled-text.ts";
import type { Core } from "../state/core.ts";
import { type RunRecord, settingsOf } from "../state/run-record.ts";

/** Lines of advice at most. */
const adviceMax = 4;

/** The scenario, how far it is, and how it came out. */
export function headLines(run: RunRecord, core: Core, width: number, palette: Palette): string[] {
  const { snapshot, forecast, rates, wallMs } = run;
  const settings = settingsOf(run);
  const from = [...(run.file === run.name ? [] : [run.file]), ...settings.map((one) => `--set ${one}`)].join("  ");
  const title = fitLine(`${palette.bold(oneLine(run.name))}  ${palette.dim(oneLine(from))}`, width).trimEnd();
  if (forecast !== null) {
    const tone = forecast.interrupted ? palette.warn : forecast.passed ? palette.good : palette.bad;
    const limit = `Limited by: ${bottleneckLabel(forecast)}`;
    const advice = adviceLines(forecast)
      .flatMap((line) => wrap(line, width - 1))
      .slice(0, adviceMax);
    return [
      title,
      ...wrap(headline(forecast), width - 1).map((line) => tone(line)),
      fitLine(limit, width).trimEnd(),
      ...advice.map((line) => palette.dim(line)),
    ];
  }
  if (run.message !== null)
    return [
      title,
      ...run.message
        .split("\n")
        .flatMap((line) => wrap(line, width - 1))
        .map((line) => palette.bad(line)),
    ];
  if (snapshot === null) return [title, palette.dim("reads its inputs")];
  const { requests, simulatedNs } = snapshot;
  const ended = requests.completed + requests.rejected;
  const share = requests.total === 0 ? 0 : ended / requests.total;
  const eta =
    share > 0.01 && wallMs > 500 ? `, about ${formatDuration((wallMs / share) * (1 - share) * 1e6)} left` : "";
  const stand = [
    run.stand,
    ...(core.frozen ? ["frozen"] : []),
    ...(core.abortOnFail ? ["ends at the first missed SLO"] : []),
  ].join(", ");
  const speed = rates === null || !Number.isFinite(rates.speed) ? "" : ` (${formatNumber(rates.speed, 3)}x real time)`;
  const [progress = ""] = bars(
    [{ label: stand, share, text: `${formatCount(ended)} of ${formatCount(requests.total)} requests${eta}` }],
    width,
    palette,
  );
  return [
    title,
    progress,
    palette.dim(`${formatDuration(simulatedNs)} simulated in ${formatDuration(wallMs * 1e6)}${speed}`),
  ];
}

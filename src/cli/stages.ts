import { formatDuration } from "../core/units.ts";
import type { Io } from "./io.ts";
import { activityLine } from "./progress.ts";

/** Says what is being done from now on, such as "reading". */
export type SayStage = (doing: string) => void;

export interface StagesOptions {
  readonly quiet?: boolean;
}

const tickMs = 1000;

/**
 * Work in stages whose length nobody knows, with a line on stderr that names the stage and how long the work has taken. The line
 * is drawn when a stage begins and between the chunks that are read, and is gone when the work ends, before results are printed.
 */
export async function inStages<T>(
  io: Io,
  what: string,
  { quiet }: StagesOptions,
  work: (say: SayStage) => Promise<T>,
): Promise<T> {
  if (quiet === true) return work(() => {});
  const line = activityLine(io, what);
  const began = Date.now();
  let stage = "reading";
  const draw = (): void => {
    const seconds = Math.floor((Date.now() - began) / tickMs);
    line.say(seconds === 0 ? stage : `${stage}, ${formatDuration(seconds * 1e9)}`);
  };
  const timer = setInterval(draw, tickMs);
  try {
    draw();
    return await work((doing) => {
      stage = doing;
      draw();
    });
  } finally {
    clearInterval(timer);
    line.clear();
  }
}

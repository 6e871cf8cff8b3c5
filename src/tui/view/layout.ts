import type { Size } from "../../report/widgets/styled-text.ts";

/** Lines of the frame around the view of a screen: titles above, a line of text and the keys below. */
const around = 4;

/** The room of a screen's view. The last line of the terminal stays free: a full one would scroll. */
export const bodyArea = ({ width, height }: Size): Size => ({
  width: Math.max(1, width),
  height: Math.max(1, height - 1 - around),
});

/** Whether there is room for two columns side by side. */
export const isWide = ({ width }: Size): boolean => width >= 100;

import { PassThrough } from "node:stream";
import { render } from "ink";
import { App, type KeyListener } from "./app.tsx";
import { InkInput } from "./ink-input.ts";

/** Ink at work. */
export interface Mounted {
  unmount(): void;
}

/** Mounts Ink once: it reads the keys. `isTyping`: whether text is asked for. What Ink draws is seen by nobody. */
export function mountInk(listener: KeyListener, isTyping: () => boolean): Mounted {
  const input = new InkInput(process.stdin, isTyping);
  const app = render(<App listener={listener} />, {
    stdout: new PassThrough().resume() as unknown as NodeJS.WriteStream,
    stdin: input as unknown as NodeJS.ReadStream,
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
    isScreenReaderEnabled: false,
  });
  return { unmount: () => app.unmount() };
}

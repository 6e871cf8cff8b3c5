import { render } from "ink";
import { App, type InkHost, type Typing } from "./app.tsx";
import { InkInput } from "./ink-input.ts";
import { InkOutput } from "./ink-output.ts";

/** Ink at work. */
export interface Mounted {
  unmount(): void;
}

/** Mounts Ink once: it reads the keys, and draws the line that is being typed, which `hear` gets. */
export function mountInk(host: InkHost, width: () => number, hear: (line: string) => void): Mounted {
  const output = new InkOutput(width, hear);
  let ready: Typing | null | undefined;
  const onReady = (typing: Typing | null) => {
    ready = typing;
  };
  const { line, pressed } = host;
  const input = new InkInput(process.stdin, { isReady: () => ready === host.prompt(), line, pressed });
  const app = render(<App host={host} onReady={onReady} />, {
    stdout: output as unknown as NodeJS.WriteStream,
    stdin: input as unknown as NodeJS.ReadStream,
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
    isScreenReaderEnabled: false,
  });
  return { unmount: () => app.unmount() };
}

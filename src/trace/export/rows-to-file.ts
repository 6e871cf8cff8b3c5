import { writeOutput } from "../../files/write-output.ts";

const collectBytes = 1 << 18;

/** Writes pieces to an output as they come, many small ones together. */
export async function writePieces(path: string, pieces: Iterable<Uint8Array | string>): Promise<void> {
  await writeOutput(path, async (output) => {
    let pending: Uint8Array[] = [];
    let pendingBytes = 0;
    const flush = async () => {
      await output.append(Buffer.concat(pending));
      pending = [];
      pendingBytes = 0;
    };
    for (const piece of pieces) {
      const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
      pending.push(bytes);
      pendingBytes += bytes.length;
      if (pendingBytes >= collectBytes) await flush();
    }
    await flush();
  });
}

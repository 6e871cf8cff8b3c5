import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { writing } from "../../files/write-output.ts";

/** Replaces a small file so that, killed at any moment or cut from power, it holds either the old text or the new. */
export async function replaceDurably(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  await writing(path, async () => {
    const handle = await open(fresh, "w");
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, path);
    await syncFolder(dirname(path));
  });
}

/** Makes the names in a folder durable, where the system can (Windows opens no folders). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => null);
  try {
    await handle?.sync();
  } catch (error) {
    if (!["EISDIR", "EPERM", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    await handle?.close();
  }
}

import { refuse } from "../../core/errors.ts";
import { closest } from "../../core/suggest.ts";
import type { BackendModule, LoadedBackend } from "./backend.ts";
import { cpu } from "./cpu.ts";
import { findInstallation } from "./packages.ts";
import { tensorflow } from "./tensorflow.ts";
import { BackendUnavailable } from "./unavailable.ts";
import { wasm } from "./wasm.ts";
import { webgpu } from "./webgpu.ts";

/** Backends by id: one line and one file each, the ones that can use a GPU first. */
export const backends: Readonly<Record<string, BackendModule>> = { tensorflow, webgpu, wasm, cpu };

export const backendIds = Object.keys(backends);

/** The backend of an id; refuses an unknown one. */
export function backendNamed(id: string): BackendModule {
  if (Object.hasOwn(backends, id)) return backends[id]!;
  const near = closest(id, backendIds);
  return refuse({
    at: "backend",
    expected: `auto or one of ${backendIds.join(", ")}`,
    found: id,
    ...(near === null ? {} : { hint: `did you mean ${near}?` }),
  });
}

/** Loads a backend and makes it current. Throws BackendUnavailable with one line that says what to do. */
export async function loadBackend(id: string): Promise<LoadedBackend> {
  const module = backendNamed(id);
  const names = Object.keys(module.packages);
  const place = findInstallation(id, names);
  const loaded = await module.load(place).catch((error: unknown) => {
    if (error instanceof BackendUnavailable) throw error;
    throw new BackendUnavailable(`${id}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
  });
  const versions = Object.fromEntries(names.map((name) => [name, place.version(name) ?? "unknown"]));
  return { id, ...loaded, versions: { ...versions, node: process.versions.node } };
}

/**
 * Loads the backend that is named, or for `auto` the first of these that loads: tensorflow or webgpu on a GPU, tensorflow
 * on the CPU, wasm, plain JavaScript. An emulated GPU is never chosen: it is slower than wasm.
 */
export async function chooseBackend(id: string): Promise<LoadedBackend> {
  if (id !== "auto") return loadBackend(id);
  const native = await loadBackend("tensorflow").catch(unlessUnavailable);
  if (native?.hardware === "gpu") return native;
  const graphics = await loadBackend("webgpu").catch(unlessUnavailable);
  if (graphics?.hardware === "gpu") return graphics;
  graphics?.close();
  if (native !== null) {
    await native.tf.setBackend("tensorflow");
    return native;
  }
  return (await loadBackend("wasm").catch(unlessUnavailable)) ?? loadBackend("cpu");
}

function unlessUnavailable(error: unknown): null {
  if (error instanceof BackendUnavailable) return null;
  throw error;
}

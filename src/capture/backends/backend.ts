import type * as Core from "@tensorflow/tfjs-core";

/** The module of tfjs-core; operations are its functions, never methods of tensors. */
export type Tfjs = typeof Core;
export type { Tensor, Tensor1D, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";

/** A backend that is loaded and current: every operation of `tf` runs on it. */
export interface LoadedBackend {
  /** Id in the table of backends, such as `wasm`. */
  readonly id: string;
  readonly tf: Tfjs;
  /** What executes, as a person knows it, such as the name of a GPU. */
  readonly device: string;
  /** What kind of hardware that is; `software` is a GPU that a program emulates. */
  readonly hardware: "gpu" | "cpu" | "software";
  /** Installed versions by package name, Node included. */
  readonly versions: Readonly<Record<string, string>>;
  /** Bytes that tensors may take on this backend; null where it does not say. */
  readonly memoryBytes: number | null;
  /** Bytes that one tensor may take; null where only memory limits it. */
  readonly tensorBytesMax: number | null;
  /** Frees what would keep the process alive. */
  close(this: void): void;
}

/** A way to execute tensors: one file each, listed in `backends.ts`. */
export interface BackendModule {
  readonly id: string;
  /** What it is, for `capture --doctor`: one line. */
  readonly title: string;
  /** Packages it needs with the exact versions it was checked with, tfjs-core first. */
  readonly packages: Readonly<Record<string, string>>;
  /** Loads the packages, makes the backend current and names the device. Throws BackendUnavailable with one line. */
  load(packages: PackageResolver): Promise<Omit<LoadedBackend, "id" | "versions">>;
}

/** Imports a package from where it is installed. */
export interface PackageResolver {
  import(packageName: string): Promise<unknown>;
  /** Installed version; null where the package is not. */
  version(packageName: string): string | null;
}

import type { StorageFormat } from "../../core/dtype.ts";
import type { Json } from "../../core/json.ts";
import type { ExchangeOptions } from "../exchange/exchange-options.ts";
import type { ExpertMap, MapContext } from "../expert-maps/expert-map.ts";
import type { ProgramName } from "./argument-list.ts";
import type { Word } from "./shell-words.ts";

/** A choice of a scenario that a deployment does not have, by its path, and why. */
export interface Refusal {
  readonly choice: string;
  readonly reason: string;
}

/** How experts move while an engine serves: the kind of a scenario's rebalancing and its parameters. */
export interface RebalanceChoice {
  readonly kind: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What an engine is to be started with: one replica of a pool, in plain values. */
export interface LaunchChoices {
  readonly role: "both" | "prefill" | "decode";
  /** Ranks, as scenarios name them: tp * cp * dp == ep * etp * edp in each of pp stages. */
  readonly mapping: Readonly<Record<"tp" | "cp" | "dp" | "pp" | "ep" | "etp" | "edp", number>>;
  /** Whether the model has routed experts. */
  readonly experts: boolean;
  readonly cpKvCache: "sharded" | "replicated";
  /** Nodes of a replica, each with as many of its devices. */
  readonly nodes: number;
  /** Devices of a node that the replica leaves to others. */
  readonly sparesDevices: boolean;
  readonly maxBatchTokens: number;
  readonly maxSequences: number;
  readonly chunkedPrefill: boolean;
  readonly prefixCaching: boolean;
  /** Share of device memory that the engine may use. */
  readonly memoryUtilisation: number;
  /** The rest is the engine's own where the scenario does not state it: undefined. */
  readonly contextTokens: number | undefined;
  readonly blockTokens: number | undefined;
  readonly recvInterval: number | undefined;
  readonly frontEnds: number | undefined;
  readonly exchange: ExchangeOptions;
  /** Storage format of the KV cache where it is not the release's. */
  readonly kvCacheFormat: string | undefined;
  /** Storage format of the routed experts. */
  readonly expertFormat: StorageFormat;
  readonly speculative: { readonly method: string; readonly draftTokens: number } | undefined;
  /** Where experts are, if the scenario says so. */
  readonly expertMap: { readonly map: ExpertMap; readonly context: MapContext } | undefined;
  readonly rebalance: RebalanceChoice | undefined;
  /** Rule that chooses among the copies of an expert. */
  readonly dispatch: string | undefined;
  /** Flags that divide experts between device and host. */
  readonly offloadFlags: readonly string[] | undefined;
  readonly hostThreads: number | undefined;
  /** Rule that spreads requests over the data-parallel ranks. */
  readonly router: string | undefined;
  /** Output tokens that a decode pool keeps free. */
  readonly reservedOutputTokens: number | "all" | undefined;
}

/** A file that an engine reads when it starts. */
export interface LaunchFile {
  /** Name in the folder that the program is started in. */
  readonly name: string;
  readonly content: { readonly text: string } | { readonly document: Json };
}

/** How to start an engine. */
export interface Launch {
  /** Words behind the program's on the first node of a replica. */
  readonly words: readonly Word[];
  /** The same on its other nodes where they differ. */
  readonly workerWords?: readonly Word[];
  readonly environment: Readonly<Record<string, Word>>;
  readonly files: readonly LaunchFile[];
  /** Variables that the person who starts it has to set, and what each is. */
  readonly needs: Readonly<Record<string, string>>;
  readonly refused: readonly Refusal[];
}

/** How one kind of engine is told what to serve: one file each, listed in `launchers.ts`. */
export interface Launcher {
  /** Engines by the id of their profile. */
  readonly engines: readonly string[];
  /** The program whose published arguments its words are. */
  readonly program: ProgramName;
  /** Paths of a scenario that it expresses beyond those that all do. */
  readonly expresses: readonly string[];
  /** Whether it runs in a cluster; else on one machine that somebody sits at. */
  readonly cluster: boolean;
  write(choices: LaunchChoices, engine: string): Launch;
}

export const modelWord: Word = [{ variable: "MODEL" }];
export const portWord: Word = [{ variable: "PORT" }];
export const headWord: Word = [{ variable: "HEAD_ADDRESS" }];
export const nodeWord: Word = [{ variable: "NODE_RANK" }];

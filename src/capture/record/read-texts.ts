import { basename } from "node:path";
import type { TraceProvenance } from "../../trace/container/trace-header.ts";
import type { Checkpoint } from "../checkpoint/open-checkpoint.ts";
import { loadTokenizer } from "../tokens/load-tokenizer.ts";
import { idDocuments, textDocuments } from "./documents.ts";
import type { DomainFile } from "./domain-files.ts";
import { markOf } from "./row-files.ts";
import { cutSequences, type TokenSequences } from "./sequences.ts";

/** Texts or token ids to record, and how much of them. */
export interface TextRequest {
  readonly files: readonly DomainFile[];
  /** The files hold token ids. */
  readonly asIds: boolean;
  readonly tokensPerSequence: number;
  readonly tokensMax: number | null;
}

export interface ReadTexts {
  readonly sequences: TokenSequences;
  readonly files: NonNullable<TraceProvenance["files"]>;
}

/** Reads texts by domain as the token sequences of a model. Files of one domain follow one another. */
export async function readTexts({ folder, plan }: Checkpoint, request: TextRequest): Promise<ReadTexts> {
  const { tokensPerSequence, tokensMax } = request;
  const tokenizer = request.asIds ? null : await loadTokenizer(folder, plan.vocabSize);
  async function* documents(paths: readonly string[]): AsyncGenerator<ArrayLike<number>> {
    for (const path of paths)
      if (tokenizer === null) yield* idDocuments(path, plan.vocabSize);
      else for await (const text of textDocuments(path)) yield tokenizer.encode(text);
  }
  const files: { name: string; sha256: string }[] = [];
  for (const { domain, path } of request.files)
    files.push({ name: `${domain}: ${basename(path)}`, sha256: (await markOf(path)).sha256 });
  const domains = [...new Set(request.files.map(({ domain }) => domain))].map((domain) => ({
    domain,
    documents: documents(request.files.filter((file) => file.domain === domain).map(({ path }) => path)),
  }));
  const sequences = await cutSequences(domains, { prefix: tokenizer?.prefix ?? [], tokensPerSequence, tokensMax });
  return { sequences, files };
}

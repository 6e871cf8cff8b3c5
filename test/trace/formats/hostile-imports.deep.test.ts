import { test } from "vitest";
import { importers, type TraceFormat } from "../../../src/trace/formats/importers.ts";
import { temporaryFolder } from "../routing-files.ts";
import { importDamaged } from "./valid-files.ts";

const folder = temporaryFolder();

test.each(Object.keys(importers) as TraceFormat[])(
  "%s: with changed bytes imported or refused, never anything else, many times",
  (format) => importDamaged(folder, format, 300),
);

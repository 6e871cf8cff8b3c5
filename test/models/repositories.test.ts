import { expect, test } from "vitest";
import { catalogue } from "../../src/models/catalogue.ts";

const released = Object.values(catalogue).filter(({ repository }) => repository !== undefined);

test.each(released)("$id: its repository is the one that its figures come from", ({ repository, source }) => {
  expect(repository).toMatch(/^[\w.-]+\/[\w.-]+$/);
  expect(source).toContain(repository);
});

test("models name their repositories where the release has one", () => {
  expect(released.length).toBeGreaterThanOrEqual(20);
});

import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FileJournal, type Saved } from "../src/journal.js";
import { keptString, parse, stringify } from "../src/json.js";
import { readEnvelope } from "../src/messages.js";
import { BadSetting, readSettings } from "../src/settings.js";
import { whyNot } from "../src/values.js";

describe("JSON", () => {
  it.each([
    "9007199254740993",
    "[1.0,1,-0.0,1e3,0.1]",
    `{"a":${"9".repeat(300)}}`,
    '"a \\u0000# b"',
    '"\\u0000#5"',
    '"\\u0000$"',
    '["x\\"\\u0000#5",{"\\u0000#7":1.50}]',
    '"👑"',
  ])("gives %s back as it was", (text) => {
    expect(stringify(parse(text))).toBe(text);
  });

  it("takes a string from elsewhere for what it is", () => {
    expect(stringify(keptString("\u0000#5"))).toBe('"\\u0000#5"');
  });

  it.each(["", "{", "01", "NaN", "[1,]", "'a'", '"\u0000"'])("refuses %j", (text) => {
    expect(() => parse(text)).toThrow(SyntaxError);
  });
});

describe("a value", () => {
  it.each([null, 0, "", {}, [[]], { a: [1, { b: "👑" }] }])("%j is taken", (value) => {
    expect(whyNot(value)).toBeUndefined();
  });

  it.each([
    ["half a pair", "\ud800", "surrogate"],
    ["a number without end", parse("1e999"), "too large"],
    ["many digits", parse("1".repeat(309)), "308 digits"],
    ["many items", Array(1001).fill(0), "1000 items"],
    ["deep arrays", parse("[".repeat(101) + "]".repeat(101)), "within each other"],
    ["a long text", "x".repeat(1_048_577), "bytes"],
  ])("%s is refused", (_, value, why) => {
    expect(whyNot(value)).toContain(why);
  });
});

describe("an envelope", () => {
  const beat = { type: "heartbeat", term: 1, commit: [0, 0, ""], round: 1 };
  const envelope = (message: unknown, from = "node-2") => ({ from, id: "node-2:1", message });

  it("is taken from a peer", () => {
    expect(readEnvelope(envelope(beat), ["node-2"])).toEqual(envelope(beat));
  });

  it.each([
    [envelope(beat, "node-9"), "no peer"],
    [envelope({ ...beat, term: "one" }), "heartbeat.term"],
    [envelope({ ...beat, commit: [0, 0] }), "heartbeat.commit"],
    [envelope({ type: "toString", term: 1 }), "unknown message type"],
    [envelope({ type: "constructor", term: 1 }), "unknown message type"],
    [[], "an envelope is"],
  ])("%j is refused", (body, why) => {
    expect(readEnvelope(body, ["node-2"])).toContain(why);
  });
});

describe("the journal", () => {
  const records: Saved[] = [
    { record: "state", term: 3, vote: "node-1" },
    { record: "append", entries: [[1, 3, "node-1", "put", "a", { leader_id: "x\n" }]], commit: 1 },
  ];
  const written = () => {
    const folder = mkdtempSync(join(tmpdir(), "journal-"));
    const journal = new FileJournal(folder);
    for (const record of records) {
      journal.save(record);
    }
    return { folder, file: join(folder, "journal"), journal };
  };

  it("gives back what was saved", () => {
    expect(new FileJournal(written().folder).read()).toEqual(records);
  });

  it("drops a last line that is torn, and goes on behind it", () => {
    const { folder, file } = written();
    appendFileSync(file, "12345678 {");
    const again = new FileJournal(folder);
    expect(again.read()).toEqual(records);
    again.save({ record: "state", term: 4, vote: null });
    expect(new FileJournal(folder).read()).toHaveLength(3);
  });

  it("does not start with a damaged line", () => {
    const { folder, file } = written();
    writeFileSync(file, readFileSync(file, "utf8").replace('"term":3', '"term":4'));
    expect(() => new FileJournal(folder).read()).toThrow("line 1 is damaged");
  });

  it("is written anew", () => {
    const { folder, journal } = written();
    journal.rewrite(records.slice(0, 1));
    journal.save({ record: "state", term: 5, vote: null });
    expect(new FileJournal(folder).read()).toEqual([records[0], { record: "state", term: 5, vote: null }]);
  });
});

describe("settings", () => {
  const env = { NODE_ID: "node-2", PEERS: "node-1=http://a:1,node-3=http://b:2" };

  it("name the peers", () => {
    expect(readSettings(env).peers).toEqual({ "node-1": "http://a:1", "node-3": "http://b:2" });
  });

  it("count peers without names from node-1", () => {
    expect(readSettings({ ...env, PEERS: "http://a:1,http://b:2" }).peers).toEqual({
      "node-1": "http://a:1",
      "node-3": "http://b:2",
    });
  });

  it.each([
    [{ ...env, NODE_ID: "" }, "NODE_ID"],
    [{ ...env, PEERS: "ftp://a" }, "PEERS takes"],
    [{ ...env, REPLICATION_MODE: "most" }, "REPLICATION_MODE takes"],
    [{ ...env, ELECTION: "../dice" }, "ELECTION takes"],
    [{ ...env, ELECTION_TIMEOUT_MS: "10" }, "ELECTION_TIMEOUT_MS"],
  ])("%j are refused", (wrong, why) => {
    expect(() => readSettings(wrong)).toThrow(BadSetting);
    expect(() => readSettings(wrong)).toThrow(why);
  });
});

/** Messages to the other nodes, by HTTP. A message may be lost: the protocol sends again what matters. */

import { Agent, request } from "node:http";
import { parse, stringify } from "./json.js";
import { type Envelope, type Message, pathOf, readEnvelope } from "./messages.js";

/** Requests to one peer whose answers have not come; more are dropped. */
const MOST_UNDER_WAY = 64;

export class Peers {
  private readonly underWay = new Map<string, number>();
  private readonly agent = new Agent({ keepAlive: true });
  private number = 0;

  constructor(
    private readonly me: string,
    private readonly urls: Record<string, string>,
    private readonly token: string,
    private readonly limitMs: number,
    private readonly receive: (sender: string, message: Message) => void,
  ) {}

  get ids(): string[] {
    return Object.keys(this.urls);
  }

  envelope(message: Message): Envelope {
    this.number += 1;
    return { from: this.me, id: `${this.me}:${process.pid}:${this.number}`, message };
  }

  send(to: string, message: Message): void {
    const waiting = this.underWay.get(to) ?? 0;
    if (waiting < MOST_UNDER_WAY) {
      this.underWay.set(to, waiting + 1);
      void this.post(to, message).finally(() => this.underWay.set(to, (this.underWay.get(to) ?? 1) - 1));
    }
  }

  private async post(to: string, message: Message): Promise<void> {
    let answers: unknown;
    try {
      answers = parse(
        await this.exchange(this.urls[to] + pathOf(message), stringify(this.envelope(message))),
      );
    } catch {
      return; // no connection, no answer in time, or no JSON: the message counts as lost
    }
    for (const answer of Array.isArray(answers) ? answers : []) {
      const envelope = readEnvelope(answer, [to]);
      if (typeof envelope !== "string") {
        this.receive(to, envelope.message);
      }
    }
  }

  /** The body of an answer with code 200. (`fetch` would pose as a web page, which the lab's nodes refuse.) */
  private exchange(url: string, body: string): Promise<string> {
    const headers = {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
      ...(this.token && { "X-Cluster-Token": this.token }),
    };
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(this.limitMs);
      const sent = request(url, { method: "POST", agent: this.agent, headers, signal }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          if (answer.statusCode === 200) {
            resolve(text);
          } else {
            reject(new Error(text));
          }
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }
}

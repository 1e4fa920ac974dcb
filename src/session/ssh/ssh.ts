import { fromBinary } from "@bufbuild/protobuf";
import { sshforward } from "../../buildkit/index.js";
import { type ServerCall, frameHead, frameMessage, grpcCodes } from "../../http2/index.js";
import type { Attachable } from "../attachable.js";
import { SessionError } from "../session-error.js";
import { AgentMessageSplitter, agentFailure, agentMessages, withLength } from "./agent-protocol.js";
import type { SshAgent } from "./ssh-agent.js";

const service = `/${sshforward.SSH.typeName}`;

/**
 * Lets steps of the build use ssh agents, by id (moby.sshforward.v1.SSH). Keys are listed and used to sign; adding,
 * removing and locking are refused before the agent hears of them, and so is everything unknown.
 */
export function ssh(agents: ReadonlyMap<string, SshAgent>): Attachable {
  const agent = (id: string | undefined): { id: string; agent: SshAgent } => {
    const name = id === undefined || id === "" ? "default" : id;
    const found = agents.get(name);
    if (found) return { id: name, agent: found };
    throw new SessionError("SESSION_NOT_FOUND", `unset ssh forward key ${name}`, {
      grpcCode: grpcCodes.notFound,
    });
  };
  return {
    methods: [`${service}/CheckAgent`, `${service}/ForwardAgent`],
    async handle(call) {
      if (call.path.toLowerCase().endsWith("/forwardagent")) {
        await forward(call, agent(call.header("buildkit.ssh.id")));
        return;
      }
      for await (const message of call.messages()) {
        agent(fromBinary(sshforward.CheckAgentRequestSchema, message).ID);
        call.write(frameMessage(new Uint8Array()));
        return;
      }
    },
  };
}

async function forward(call: ServerCall, { id, agent }: { id: string; agent: SshAgent }): Promise<void> {
  try {
    using connection = await agent.connect(call.signal);
    const splitter = new AgentMessageSplitter();
    for await (const chunk of call.bytesField()) {
      for (const message of splitter.push(chunk)) {
        const answer = withLength(isAllowed(message) ? await connection.request(message) : agentFailure);
        if (!call.write([frameHead(answer.length), answer])) await call.drained();
      }
    }
  } catch (error) {
    if (call.signal.aborted || !(error instanceof SessionError)) throw error;
    throw new SessionError("SESSION_SSH_AGENT", `ssh ${id}: ${error.message}`, {
      grpcCode: error.grpcCode,
      cause: error,
    });
  }
}

function isAllowed(message: Buffer): boolean {
  return message[0] === agentMessages.requestIdentities || message[0] === agentMessages.signRequest;
}

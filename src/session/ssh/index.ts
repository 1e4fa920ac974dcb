export {
  type SshAgent,
  type SshAgentConnection,
  type SshAgentSpec,
  loadSshAgents,
  parseSshSpec,
} from "./ssh-agent.js";
export { ssh } from "./ssh.js";

export { type SshAgent, type SshAgentSpec, loadSshAgents, parseSshSpec } from "./ssh-agent.js";
export { ssh } from "./ssh.js";

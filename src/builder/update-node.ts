import { checkBuilderName } from "./builder-name.js";
import type { Node, NodeGroup } from "./node-group.js";
import { type Platform, formatPlatformFully } from "./platform.js";
import { StoreError } from "./store-error.js";

/** A change to one node, or a new node. What is absent stays as it is. */
export interface NodeUpdate {
  /** Node to change; a new one gets the next free name of the group when this is empty. */
  node?: string;
  endpoint: string;
  /** The user named the endpoint: it replaces the one that the node has. */
  endpointGiven: boolean;
  /** A node of this name may be added to a group that has some. */
  append?: boolean;
  /** Replace the node's platforms when there are any. */
  platforms?: readonly Platform[];
  flags?: readonly string[];
  driverOpts?: Readonly<Record<string, string>>;
  /** Config files; added to those of the node, over those of the same name. */
  files?: ReadonlyMap<string, Uint8Array>;
}

/**
 * The group with a node changed or added (buildx NodeGroup.Update). `needsRestart`: the user is to be told that
 * `new settings may not be used until builder is restarted`.
 *
 * @throws StoreError `STORE_REFUSED`, InvalidArgumentError for a bad node name.
 */
export function updateNode(
  group: NodeGroup,
  update: NodeUpdate,
): { group: NodeGroup; needsRestart: boolean } {
  if (group.dynamic) throw refused("dynamic node group does not support Update");
  const index = update.node ? group.nodes.findIndex(({ name }) => name === update.node) : -1;
  if (index < 0 && !update.append && group.nodes.length > 0)
    throw refused(`node ${update.node ?? ""} not found, did you mean to append?`);
  const old = group.nodes[index];
  const node = old ? changeNode(old, update) : newNode(group, update);
  const nodes = old ? group.nodes.with(index, node) : [...group.nodes, node];
  if (nodes.filter(({ endpoint }) => endpoint === update.endpoint).length > 1)
    throw refused(`invalid duplicate endpoint ${update.endpoint}`);
  const taken = new Set(node.platforms.map(formatPlatformFully));
  const others = nodes.map((other) => (other === node ? other : withoutPlatforms(other, taken)));
  const needsRestart =
    old !== undefined &&
    (update.endpointGiven ||
      [update.flags, update.driverOpts, update.files].some((part) => part !== undefined));
  return { group: { ...group, nodes: others }, needsRestart };
}

/**
 * The group without one of its nodes (buildx NodeGroup.Leave).
 *
 * @throws StoreError `STORE_REFUSED` when there is no such node or it is the last.
 */
export function leaveNode(group: NodeGroup, name: string): NodeGroup {
  if (group.dynamic) throw refused("dynamic node group does not support Leave");
  if (!group.nodes.some((node) => node.name === name))
    throw refused(`node ${JSON.stringify(name)} not found for ${group.name}`);
  if (group.nodes.length === 1) throw refused("can not leave last node, do you want to rm instance instead?");
  return { ...group, nodes: group.nodes.filter((node) => node.name !== name) };
}

function changeNode(node: Node, update: NodeUpdate): Node {
  const { endpoint, endpointGiven, platforms, flags, driverOpts, files } = update;
  return {
    ...node,
    ...(endpointGiven && { endpoint }),
    ...(platforms && platforms.length > 0 && { platforms }),
    ...(flags && { flags }),
    ...(driverOpts && { driverOpts }),
    ...(files && { files: new Map([...node.files, ...files]) }),
  };
}

function newNode(group: NodeGroup, update: NodeUpdate): Node {
  return {
    name: checkBuilderName(update.node || nextNodeName(group)),
    endpoint: update.endpoint,
    platforms: update.platforms ?? [],
    driverOpts: update.driverOpts ?? {},
    flags: update.flags ?? [],
    files: update.files ?? new Map(),
  };
}

function withoutPlatforms(node: Node, taken: ReadonlySet<string>): Node {
  const platforms = node.platforms.filter((platform) => !taken.has(formatPlatformFully(platform)));
  return platforms.length === node.platforms.length ? node : { ...node, platforms };
}

/** `<group>0`, or with the first number that is free. */
function nextNodeName({ name, nodes }: NodeGroup): string {
  let number = 0;
  while (nodes.some((node) => node.name === `${name}${number}`)) number++;
  return `${name}${number}`;
}

function refused(message: string): StoreError {
  return new StoreError("STORE_REFUSED", message);
}

// Counts its visitors in a redis, whose address is in REDIS_HOST.
import { createServer } from "node:http";
import { connect } from "node:net";

/** Sends one command, and gives the answer's first line without its type. */
function redis(command) {
  return new Promise((resolve, reject) => {
    const socket = connect(6379, process.env.REDIS_HOST, () => socket.write(`${command}\r\n`));
    socket.setEncoding("utf8").once("data", (answer) => {
      socket.destroy();
      resolve(answer.split("\r\n")[0].slice(1));
    });
    socket.once("error", reject);
  });
}

createServer((_request, response) => {
  redis("INCR visitors").then(
    (count) => response.end(`visitor ${count}\n`),
    (error) => response.writeHead(503).end(`${error.message}\n`),
  );
}).listen(8080);

process.once("SIGTERM", () => process.exit());

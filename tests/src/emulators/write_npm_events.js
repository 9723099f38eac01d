// Writes the events that packages contain as JSON, by the package and the name of their file; those in the comments
// of types by their place in the file. What is not JSON is written as a string.

const fs = require("fs");
const path = require("path");

const [root] = process.argv.slice(2);
const events = {};

function add(name, text) {
  let event = text;
  try {
    event = JSON.parse(text);
  } catch {
    // The test knows which these are.
  }
  events[name] = event;
}

for (const [name, folder] of [
  ["@serverless/event-mocks", "dist/events/aws"],
  ["aws-event-mocks", "events/aws"],
  ["lambda-event-mock", "lib/templates"],
]) {
  const files = fs.readdirSync(path.join(root, name, folder));
  for (const file of files.filter((file) => file.endsWith(".json"))) {
    add(`${name}/${file}`, fs.readFileSync(path.join(root, name, folder, file), "utf8"));
  }
}

const name = "@aws-lambda-powertools/parser";
const folder = path.join(root, name, "lib/esm/schemas");
for (const file of fs.readdirSync(folder).filter((file) => file.endsWith(".d.ts"))) {
  const examples = fs.readFileSync(path.join(folder, file), "utf8").matchAll(/```json\n([^]*?)```/g);
  [...examples].forEach(([, lines], place) => {
    const text = lines.replace(/^ *\* ?/gm, "");
    add(`${name}/${file.replace(".d.ts", "")}#${place}`, text);
  });
}

process.stdout.write(JSON.stringify(events));

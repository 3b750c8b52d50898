// A Cargo that uses what Node programs use.
const fs = require('fs'), os = require('os'), path = require('path'), http = require('http'), zlib = require('zlib')
const crypto = require('crypto'), { Worker } = require('worker_threads'), { execFileSync, spawn } = require('child_process')
const say = (frame) => process.stdout.write(JSON.stringify(frame) + '\n')
const request = JSON.parse(fs.readFileSync(0, 'utf8'))
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'n'))

async function files() {
    const file = path.join(folder, 'a')
    fs.writeFileSync(file, 'x'.repeat(100000)); fs.appendFileSync(file, 'y'); fs.copyFileSync(file, file + 'b')
    fs.renameSync(file + 'b', file + 'c'); fs.symlinkSync(file, file + 'l'); fs.readlinkSync(file + 'l'); fs.chmodSync(file, 0o600)
    fs.truncateSync(file, 10); fs.utimesSync(file, 1, 1); fs.statSync(file); fs.lstatSync(file); fs.realpathSync(file)
    await fs.promises.readFile(file); await fs.promises.readdir(folder); fs.rmSync(file + 'c')
    await new Promise((done) => fs.createReadStream(file).pipe(fs.createWriteStream(file + 's')).on('finish', done))
}
async function work() {
    zlib.gzipSync('x'.repeat(100000))
    await new Promise((done) => crypto.pbkdf2('a', 'b', 1000, 32, 'sha256', done))
    crypto.randomBytes(16)
    await new Promise((done, failed) => new Worker('require("worker_threads").parentPort.postMessage(1)', { eval: true }).on('message', done).on('error', failed))
}
async function talk() {
    const server = http.createServer((_, answer) => answer.end('hello'))
    await new Promise((done) => server.listen(0, '127.0.0.1', done))
    const text = await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text()
    if (text !== 'hello') throw new Error(text)
    server.close()
    execFileSync(process.execPath, ['-e', '1'])
    await new Promise((done) => spawn(process.execPath, ['-e', 'process.exit(0)']).on('exit', done))
    os.cpus(); os.freemem(); os.uptime(); process.memoryUsage(); process.hrtime(); process.kill(process.pid, 0)
}
(async () => {
    for (const step of [files, work, talk]) { await step(); say({ type: 'status', message: step.name }) }
    say({ type: 'token', content: String(request.text ?? '') })
    say({ type: 'done' })
    process.exit(0)
})().catch((error) => { say({ type: 'error', message: String(error && error.stack) }); process.exit(1) })

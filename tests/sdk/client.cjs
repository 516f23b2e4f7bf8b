// Prints the access key IDs that the SDK would sign with, one line for each arrangement on standard input: variables separated by NUL,
// the first the name of the profile that code names, or nothing. The argument is the folder of its packages.
const { fromNodeProviderChain } = require('module').createRequire(process.argv[2] + '/')('@aws-sdk/credential-providers');

async function main() {
    const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(line => line);
    for (const line of lines) {
        const [profile, ...variables] = line.split('\0');
        for (const name of Object.keys(process.env)) delete process.env[name];
        for (const variable of variables) {
            const at = variable.indexOf('=');
            process.env[variable.slice(0, at)] = variable.slice(at + 1);
        }
        try {
            console.log((await fromNodeProviderChain(profile ? { profile } : {})()).accessKeyId);
        } catch (error) {
            console.log(`ERR ${error.name} ${error.message}`.replace(/\s+/g, ' '));
        }
    }
}

main();

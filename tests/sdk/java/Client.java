import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.utils.internal.SystemSettingUtilsTestBackdoor;

/**
 * Prints the access key IDs that the SDK would sign with, one line for each arrangement on standard input: variables separated by NUL,
 * the first the name of the profile that code names, or nothing. An empty line stands for the process's own variables. The same line as
 * before asks the same provider again.
 */
public class Client {
    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String previous = null;
        DefaultCredentialsProvider provider = null;
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            if (!line.equals(previous)) {
                var words = line.split("\0", -1);
                // The SDK reads these before the process's own.
                SystemSettingUtilsTestBackdoor.clearEnvironmentVariableOverrides();
                for (int at = 1; at < words.length; at++) {
                    var pair = words[at].split("=", 2);
                    SystemSettingUtilsTestBackdoor.addEnvironmentVariableOverride(pair[0], pair[1]);
                }
                var builder = DefaultCredentialsProvider.builder();
                if (!words[0].isEmpty()) {
                    builder.profileName(words[0]);
                }
                provider = builder.build();
                previous = line;
            }
            try {
                System.out.println(provider.resolveCredentials().accessKeyId());
            } catch (RuntimeException error) {
                System.out.println("ERR " + error.getMessage().replace('\n', ' '));
            }
        }
    }
}

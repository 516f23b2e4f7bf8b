import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.utils.internal.SystemSettingUtilsTestBackdoor;

/**
 * Prints the access key IDs that the SDK would sign with, one line for each arrangement on standard input: variables separated by NUL,
 * the first the name of the profile that code names, or nothing.
 */
public class Client {
    public static void main(String[] arguments) throws Exception {
        var input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        for (var line : input.split("\n")) {
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
            try (var provider = builder.build()) {
                System.out.println(provider.resolveCredentials().accessKeyId());
            } catch (RuntimeException error) {
                System.out.println("ERR " + error.getMessage().replace('\n', ' '));
            }
        }
    }
}

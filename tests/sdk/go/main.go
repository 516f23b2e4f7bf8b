// Prints the access key IDs that the SDK would sign with, one line for each arrangement on standard input: variables separated by NUL,
// the first the name of the profile that code names, or nothing.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
)

func key(profile string) (string, error) {
	var options []func(*config.LoadOptions) error
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	loaded, err := config.LoadDefaultConfig(context.Background(), options...)
	if err != nil {
		return "", err
	}
	credentials, err := loaded.Credentials.Retrieve(context.Background())
	return credentials.AccessKeyID, err
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Split(lines.Text(), "\x00")
		os.Clearenv()
		for _, pair := range words[1:] {
			name, value, _ := strings.Cut(pair, "=")
			os.Setenv(name, value)
		}
		id, err := key(words[0])
		if err != nil {
			id = "ERR " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Println(id)
	}
}
